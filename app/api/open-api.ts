/** `openapi.json`, made from the contract's schemas. */
import { z } from 'zod';
import { errorCodes } from '../contract/errors.ts';
import { examples } from '../contract/examples.ts';
import { type Method, methods } from '../contract/methods.ts';
import { contractProtocol } from '../contract/protocol.ts';
import { roleFor } from '../contract/roles.ts';

export function openApi(version: string): unknown {
  const paths = Object.fromEntries(
    Object.entries(methods).map(([name, m]) => [
      `/rpc/${name}`,
      {
        post: {
          operationId: name,
          summary: m.about,
          'x-kind': m.kind,
          'x-role': roleFor(name as Method),
          requestBody: {
            content: { 'application/json': { schema: schema(m.input, 'input'), example: examples[name as Method] } },
          },
          responses: {
            200: {
              description: 'done',
              content: {
                'application/json': {
                  schema: {
                    type: 'object',
                    properties: { ok: { const: true }, value: schema(m.output, 'output') },
                    required: ['ok', 'value'],
                  },
                },
              },
            },
            default: refused,
          },
        },
      },
    ]),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'Unjam',
      version,
      description: 'Scripts, isolation mutexes, and the three verbs: cancel, kill, abandon.',
    },
    servers: [{ url: `/v${contractProtocol}` }],
    paths: { ...paths, ...streams },
    components: {
      schemas: {
        Error: {
          type: 'object',
          properties: {
            ok: { const: false },
            error: {
              type: 'object',
              properties: {
                code: { enum: Object.keys(errorCodes) },
                message: { type: 'string' },
                next: { type: 'string' },
                field: { type: 'string' },
              },
              required: ['code', 'message', 'next'],
            },
          },
          required: ['ok', 'error'],
        },
        Problem: {
          description: 'RFC 9457; when Accept asks for it',
          type: 'object',
          properties: {
            type: { type: 'string', format: 'uri' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            code: { type: 'string' },
            next: { type: 'string' },
            field: { type: 'string' },
          },
          required: ['type', 'title', 'status', 'detail', 'code', 'next'],
        },
      },
    },
  };
}

const refused = {
  description: 'refused or failed',
  content: {
    'application/json': { schema: { $ref: '#/components/schemas/Error' } },
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  },
};

const read = (operationId: string, summary: string, type: string, more: object = {}) => ({
  get: {
    operationId,
    summary,
    responses: { 200: { description: 'done', content: { [type]: { schema: { type: 'string' } } } }, default: refused },
    ...more,
  },
});

/** What is read with GET; POST has the same for one answer at a time. */
const streams = {
  '/events': read('events', 'whole snapshots as server-sent events', 'text/event-stream'),
  '/scripts/{ticket}/events': read(
    'scripts.events',
    'a script at each change as server-sent events, until it is final',
    'text/event-stream',
    {
      parameters: [
        { name: 'ticket', in: 'path', required: true, schema: { type: 'string' } },
        { name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } },
      ],
    },
  ),
  '/metrics': read('metrics', methods['metrics.get'].about, 'text/plain'),
};

/** Without definitions of its own, which an OpenAPI document could not resolve: the recursive one is "any JSON". */
function schema(type: z.ZodType, io: 'input' | 'output'): unknown {
  const text = JSON.stringify(z.toJSONSchema(type, { io, unrepresentable: 'any' }));
  return JSON.parse(text, (key, value: unknown) =>
    key === '$defs' || key === '$schema' ? undefined : isDefinition(value) ? {} : value,
  ) as unknown;
}

const isDefinition = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && '$ref' in value && String(value.$ref).startsWith('#/$defs/');
