export { LogIndex } from './index-file.ts';
export { LogIndexer } from './indexer.ts';
export { type LogPaths, readLog } from './read-log.ts';
