/** Tells test/run.ts of each test as it begins and ends: a line of JSON on file descriptor 3. */
import { writeSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export type TestEvent =
  | { readonly kind: 'begin'; readonly name: string }
  | {
      readonly kind: 'test';
      readonly name: string;
      readonly state: 'passed' | 'failed' | 'skipped';
      /** Why it failed, with what was expected and what was found; empty otherwise. */
      readonly errors: readonly string[];
    }
  | { readonly kind: 'file'; readonly file: string; readonly ms: number }
  /** Outside of any test: a file that cannot be loaded, a rejection that nobody handled. */
  | { readonly kind: 'error'; readonly where: string };

const tell = (event: TestEvent): void => void writeSync(3, `${JSON.stringify(event)}\n`);
const nameOf = (module: TestModule): string => relative(process.cwd(), module.moduleId);

const testName = (test: TestCase): string => `${nameOf(test.module)}: ${test.fullName}`;

export class LiveReporter implements Reporter {
  onTestModuleStart(module: TestModule): void {
    tell({ kind: 'begin', name: nameOf(module) });
  }

  onTestCaseReady(test: TestCase): void {
    tell({ kind: 'begin', name: testName(test) });
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state === 'pending') return;
    tell({
      kind: 'test',
      name: testName(test),
      state,
      errors: errors.map(({ message, diff }) => (diff ? `${message}\n${diff}` : message)),
    });
  }

  onTestModuleEnd(module: TestModule): void {
    tell({ kind: 'file', file: nameOf(module), ms: Math.round(module.diagnostic().duration) });
    const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
    for (const suite of suites) tell({ kind: 'error', where: `${nameOf(module)}: ${suite.fullName}` });
    if (module.errors().length > 0) tell({ kind: 'error', where: nameOf(module) });
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    if (unhandled.length > 0) tell({ kind: 'error', where: 'outside of any test' });
  }
}
