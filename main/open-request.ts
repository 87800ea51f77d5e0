export type { OpenRequest } from '../app/contract/window.ts';
