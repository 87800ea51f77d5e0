/** Answers `GET /metrics`: the text format of Prometheus, or OpenMetrics for whoever accepts that. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const plain = 'text/plain; version=0.0.4; charset=utf-8';
const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

export function answerMetrics(request: IncomingMessage, response: ServerResponse, text: string): void {
  // Prometheus asks for it first and takes the other as well; `q` is not weighed.
  const isOpen = request.headers.accept?.includes('application/openmetrics-text') === true;
  response
    .writeHead(200, {
      'content-type': isOpen ? open : plain,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      vary: 'Accept',
    })
    .end(isOpen ? openMetrics(text) : text);
}

/** OpenMetrics 1.0 names a family of counters without `_total`, and has an end: a text that was cut off is seen. */
const openMetrics = (text: string): string => `${text.replaceAll(/^(# (?:HELP|TYPE) \w+)_total /gm, '$1 ')}# EOF\n`;
