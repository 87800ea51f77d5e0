export { LogIndex } from './index-file.ts';
export { LogIndexer } from './indexer.ts';
export { LineReader } from './line-reader.ts';
export { readLog } from './read-log.ts';
