/**
 * How Unjam's own lines stand in a job's log: as sections, warnings and errors, where the agent has a format for them.
 * Whatever a line carries (names, reasons, values of an agent) is data: it is made one harmless line, and nothing in it can
 * be read as a command of the agent.
 */
import { agentIn } from '../agents/from-environment.ts';
import { UnjamError } from '../contract/errors.ts';
import { visibleLine } from '../domain/visible.ts';

/** `wait` begins a wait for a mutex, `go` ends it; `line` is neither. */
export type Tone = 'wait' | 'go' | 'line' | 'warning' | 'error';

interface Format {
  /** Where the agent looks for them. */
  readonly stream: 'stdout' | 'stderr';
  readonly text: (tone: Tone, line: string) => string;
}

/** actions/runner ActionCommand.cs: `%`, CR and LF of the data are escaped, `##[` counts anywhere in a line. */
const github: Format = {
  stream: 'stderr',
  text: (tone, line) => {
    const data = line.replaceAll('%', '%25');
    if (tone === 'wait') return `::group::${data}\n`;
    if (tone === 'go') return `::endgroup::\n${line}\n`;
    return tone === 'line' ? `${line}\n` : `::${tone} title=Unjam::${data}\n`;
  },
};

/** azure-pipelines-agent Command.cs: `;`, `]`, CR, LF and `%` are escaped, `##vso[` counts anywhere in a line. */
const azure: Format = {
  stream: 'stderr',
  text: (tone, line) => {
    const data = line.replaceAll('%', '%AZP25').replaceAll(';', '%3B').replaceAll(']', '%5D');
    if (tone === 'wait') return `##[group]${line}\n`;
    if (tone === 'go') return `##[endgroup]\n${line}\n`;
    return tone === 'line' ? `${line}\n` : `##vso[task.logissue type=${tone}]${data}\n`;
  },
};

/** Calamari's bootstrap scripts: a message changes how the lines after it are shown. Octopus reads them on stdout alone. */
const octopus: Format = {
  stream: 'stdout',
  text: (tone, line) => {
    if (tone === 'line') return `${line}\n`;
    const mode = tone === 'wait' || tone === 'go' ? 'highlight' : tone;
    return `##octopus[stdout-${mode}]\n${line}\n##octopus[stdout-default]\n`;
  },
};

/** Buildkite: a line that begins with `--- ` opens a section, `^^^ +++` unfolds the one it stands in. */
const buildkite: Format = {
  stream: 'stderr',
  text: (tone, line) => {
    if (tone === 'wait' || tone === 'go') return `--- ${line}\n`;
    return tone === 'line' ? `${line}\n` : `${line}\n^^^ +++\n`;
  },
};

const formats: Readonly<Record<string, Format>> = { github, azure, octopus, buildkite };
const byAgent: Readonly<Record<string, string>> = {
  github: 'github',
  'azure-pipelines': 'azure',
  tentacle: 'octopus',
  buildkite: 'buildkite',
};
const choices = ['auto', 'none', ...Object.keys(formats)];

/** Line by line; the state is whether a wait is open. */
export class Annotations {
  readonly #format: Format | null;
  #waits = false;

  /** @throws UnjamError when `choice` is not one of the formats, `auto` or `none` */
  constructor(choice: string, environment: NodeJS.ProcessEnv) {
    if (!choices.includes(choice))
      throw new UnjamError(
        'bad-input',
        `--annotations: "${choice}" is not one of ${choices.join(', ')}.`,
        `Use one of ${choices.join(', ')}; nothing was started.`,
        '--annotations',
      );
    const name = choice === 'auto' ? byAgent[agentIn(environment)?.key ?? ''] : choice;
    this.#format = formats[name ?? ''] ?? null;
  }

  get stream(): 'stdout' | 'stderr' {
    return this.#format?.stream ?? 'stderr';
  }

  /** A line of Unjam, with its code where it has one. */
  of(code: string | null, text: string, isError = false): string {
    // "##" begins a command of three agents, in the middle of a line too.
    const line = `unjam: ${code === null ? '' : `${code} `}${visibleLine(text)}`.replaceAll('##', '# #');
    return this.#format?.text(this.#tone(code, isError), line) ?? `${line}\n`;
  }

  #tone(code: string | null, isError: boolean): Tone {
    if (code === 'I101' && !this.#waits) {
      this.#waits = true;
      return 'wait';
    }
    if (this.#waits && code !== 'I101' && code !== 'W102') {
      this.#waits = false;
      return 'go';
    }
    return isError ? 'error' : code?.startsWith('W') ? 'warning' : 'line';
  }
}
