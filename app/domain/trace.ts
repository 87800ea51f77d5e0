/** The trace that a script belongs to, as its caller's environment names it. */

/** Name and shape: https://www.w3.org/TR/trace-context/#traceparent-header, and OpenTelemetry's for environment variables. */
const shape = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Undefined where there is none, or one that no program of a trace would accept. */
export function traceparentOf(environment: Readonly<Record<string, string>>): string | undefined {
  const text = environment['TRACEPARENT'];
  return text !== undefined && shape.test(text) ? text : undefined;
}

/** What hands it on to a command, and to an address. */
export const traceVariable = (traceparent: string | undefined): Record<string, string> =>
  traceparent === undefined ? {} : { TRACEPARENT: traceparent };
export const traceparentField = (traceparent: string | undefined): { readonly traceparent?: string } =>
  traceparent === undefined ? {} : { traceparent };
