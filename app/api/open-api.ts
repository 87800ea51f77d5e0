/** `openapi.json`, made from the contract's schemas. */
import { z } from 'zod';
import { methods } from '../contract/methods.ts';

export function openApi(version: string): unknown {
  const paths = Object.fromEntries(
    Object.entries(methods).map(([name, m]) => [
      `/rpc/${name}`,
      {
        post: {
          operationId: name,
          summary: m.about,
          'x-kind': m.kind,
          requestBody: { content: { 'application/json': { schema: schema(m.input, 'input') } } },
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
            default: {
              description: 'refused or failed',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
            },
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
    paths,
    components: {
      schemas: {
        Error: {
          type: 'object',
          properties: {
            ok: { const: false },
            error: {
              type: 'object',
              properties: {
                code: { type: 'string' },
                message: { type: 'string' },
                next: { type: 'string' },
                field: { type: 'string' },
              },
              required: ['code', 'message', 'next'],
            },
          },
          required: ['ok', 'error'],
        },
      },
    },
  };
}

function schema(type: z.ZodType, io: 'input' | 'output'): unknown {
  return z.toJSONSchema(type, { io, unrepresentable: 'any' });
}
