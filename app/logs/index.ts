export { LogIndex } from './index-file.ts';
export { LogIndexer } from './indexer.ts';
export { LogReader } from './log-reader.ts';
export type { Decode } from './text.ts';
