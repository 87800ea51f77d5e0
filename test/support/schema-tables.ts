/** The contract's shapes as tables for docs/api.md and docs/json.md. */
import { z } from 'zod';
import * as inputs from '../../app/contract/input-schemas.ts';
import * as logs from '../../app/contract/log-schemas.ts';
import * as observed from '../../app/contract/observed-schemas.ts';
import * as schemas from '../../app/contract/schemas.ts';
import * as settings from '../../app/contract/settings-schemas.ts';

interface Json {
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Json[];
  readonly oneOf?: readonly Json[];
  readonly type?: string | readonly string[];
  readonly items?: Json | boolean;
  readonly properties?: Readonly<Record<string, Json>>;
  readonly additionalProperties?: Json | boolean;
  readonly required?: readonly string[];
  readonly description?: string;
}

/** Objects that have a name in the contract; each is described once. */
export const named = new Map<z.ZodType, string>();
for (const group of [schemas, inputs, logs, observed, settings])
  for (const [name, value] of Object.entries(group))
    if (value instanceof z.ZodObject && !name.endsWith('Input')) named.set(value, name);

export function json(type: z.ZodType, io: 'input' | 'output'): Json {
  return z.toJSONSchema(type, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema, path }) => {
      const name = named.get(zodSchema as unknown as z.ZodType);
      if (name === undefined || path.length === 0) return;
      for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key];
      jsonSchema.$ref = name;
    },
  }) as Json;
}

function typeOf(schema: Json, linked: (name: string) => string): string {
  const of = (one: Json): string => typeOf(one, linked);
  if (schema.$ref !== undefined) return schema.$ref.startsWith('#') ? 'any JSON' : linked(schema.$ref);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map(of).join(' or ');
  if (schema.type === 'array') return typeof schema.items === 'object' ? `list of ${of(schema.items)}` : 'list';
  if (schema.properties)
    return `{ ${Object.entries(schema.properties).map(([name, one]) => `${name}${schema.required?.includes(name) ? '' : '?'}: ${of(one)}`).join('; ')} }`; // prettier-ignore
  if (schema.type === 'object')
    return typeof schema.additionalProperties === 'object' ? `map of ${of(schema.additionalProperties)}` : 'object';
  return schema.type === undefined ? 'any JSON' : [schema.type].flat().join(' or ');
}

const asItIs = (name: string): string => name;
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A row for each field; `linked` writes the name of a type. */
export function fields(schema: Json, linked = asItIs): string[] {
  const all = Object.entries(schema.properties ?? {});
  if (all.length === 0) return [];
  return [
    '| Field | Type | |',
    '|---|---|---|',
    ...all.map(
      ([name, of]) =>
        `| \`${name}\`${schema.required?.includes(name) ? '' : ' (optional)'} | ${cell(typeOf(of, linked)).replaceAll('<', '\\<')} | ${cell(of.description ?? '').replaceAll('<', '\\<')} |`,
    ),
    '',
  ];
}

/** The name of an object that has one, else its shape in one line. */
export const nameOf = (type: z.ZodType): string => named.get(type) ?? typeOf(json(type, 'output'), asItIs);
