/** What a program gets of Unjam as JSON on standard output or in a file: docs/json.md. */
import { visibleJson } from './visible.ts';

/** First in every document; raised when a field goes or changes its meaning. */
export const jsonSchema = 1;

/** Without `indent` in one line. */
export const jsonDocument = (fields: object, indent = 0): string =>
  visibleJson({ schema: jsonSchema, ...fields }, indent);
