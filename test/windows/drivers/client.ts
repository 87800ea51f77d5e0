/** Asks a host that is there already. */
import { clientOf } from '../../../app/access/client.ts';
import { examples } from '../../../app/contract/examples.ts';
import { type Method, methods } from '../../../app/contract/methods.ts';
import { scenarios } from '../support/scenarios.ts';

await scenarios({
  /** Every question of the contract, about one script, and what came of it: `ok`, or the code of the error. */
  async 'ask everything'({ options }) {
    const { home = '', ticket = '' } = options;
    const reached = await clientOf(home, { user: 'kim', via: 'api' }, 60_000);
    if (reached === null) throw new Error(`No host was noted in ${home}.`);
    const answers: Record<string, string> = {};
    for (const method of Object.keys(methods) as Method[]) {
      if (methods[method].kind !== 'query') continue;
      const example = examples[method];
      const input =
        'ticket' in example ? { ...example, ticket, ...('waitMs' in example ? { waitMs: 1 } : {}) } : example;
      answers[method] = await reached.client.call(method, input as never).then(
        () => 'ok',
        (error: unknown) => `${(error as { code?: string }).code}: ${(error as Error).message}`,
      );
    }
    reached.client.close();
    return answers;
  },
});
