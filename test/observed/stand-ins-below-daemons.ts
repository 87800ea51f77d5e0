/** Agents of which only the shape can be had here: GitLab's runner, Ansible's module on its target, Calamari below sshd. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What whoever waits for a script has reported of it; null while it waits. */
export type Report = () => string | null;

/** Bash that reads the output of a command to its end, whoever has it open, and has its code in `$code`. */
const readToTheEnd = (command: string): string =>
  `coproc { exec ${command} 2>&1; }\njob=$COPROC_PID; exec {out}<&"\${COPROC[0]}"\nwhile read -r line <&$out; do :; done; wait $job; code=$?\n`;

/**
 * `gitlab-runner run`, with one job in the shell executor (gitlab-runner shells/bash.go, executors/shell/shell.go): the
 * script comes by standard input and exports the variables itself. As root it starts the shell through `su`.
 */
export function gitlab(folder: string, job: string, user: string | null): Report {
  const program = copyOfBash(folder, 'gitlab-runner');
  const variables = 'export CI_JOB_ID=4242 CI_JOB_NAME=apply CI_PROJECT_PATH=infra/net CI_JOB_STAGE=deploy';
  const build = write(
    folder,
    'build',
    `#!/usr/bin/env bash\n\ntrap exit 1 TERM\n\nset -o errexit\nset +o noclobber\n: | (eval $'${variables}\\n${job}\\n')\nexit 0\n`,
  );
  const shell = user === null ? 'bash -l' : `su -s /bin/bash ${user} -c 'bash -l'`;
  // Bash reads its script from the file `run` in the folder.
  write(folder, 'run', `${readToTheEnd(`${shell} < '${build}'`)}echo $code > code.tmp; mv code.tmp code\n`);
  const runner = spawn(program, ['run', '--config', '/etc/gitlab-runner/config.toml'], { cwd: folder, env: { PATH: process.env['PATH'] }, stdio: 'ignore' }); // prettier-ignore
  runner.unref();
  return report(join(folder, 'code'));
}

/** The command of an Octopus SSH target: Calamari, which waits for the script and ends with its code. */
export function calamari(folder: string, job: string): string {
  const program = copyOfBash(join(folder, '.octopus'), 'Calamari');
  const inner = write(join(folder, '.octopus'), 'run-script', `${readToTheEnd('"$1"')}exit $code\n`);
  return `'${program}' '${inner}' '${job}'; exit $?`;
}

/** The command that Ansible sends for the module `command` (ansible plugins/action/__init__.py, plugins/shell/__init__.py). */
export function ansible(folder: string, job: string): string {
  return `/bin/sh -c '/usr/bin/python3 ${moduleOf(folder, job)} && sleep 0'`;
}

/** A module behind async_wrapper.py, which has left the ssh session long ago. */
export function ansibleAsync(folder: string, job: string): Report {
  const module = moduleOf(folder, job);
  const result = join(folder, 'result');
  const wrapper = write(join(module, '..'), 'async_wrapper.py', asyncWrapper);
  spawn('/usr/bin/python3', [wrapper, 'j4711', '3600', module, '_'], { env: { RESULT: result }, stdio: 'ignore' });
  return () => /"rc": (-?\d+)/.exec(report(result)() ?? '')?.[1] ?? null;
}

/** As run_command of module_utils/basic.py does: when the command has ended, it waits for its output no longer. */
const moduleText = `import json, selectors, subprocess, sys
command = subprocess.Popen([sys.argv[0] + '.command'], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
selector = selectors.DefaultSelector()
for pipe in (command.stdout, command.stderr):
    selector.register(pipe, selectors.EVENT_READ)
while True:
    events = selector.select(1)
    for key, _ in events:
        if not key.fileobj.read1(9000):
            selector.unregister(key.fileobj)
    if (not events or not selector.get_map()) and command.poll() is not None:
        break
    if not selector.get_map():
        command.wait()
print(json.dumps({'rc': command.returncode}))
`;

const asyncWrapper = `import os, subprocess, sys
for session in (True, False):
    if os.fork():
        os._exit(0)
    if session:
        os.setsid()
module = os.fork()
if module:
    os.waitpid(module, 0)
    os._exit(0)
result = os.environ['RESULT']
text = subprocess.Popen([sys.executable, sys.argv[3]], stdout=subprocess.PIPE).communicate()[0]
open(result + '.tmp', 'wb').write(text)
os.rename(result + '.tmp', result)
`;

function moduleOf(folder: string, job: string): string {
  const home = join(folder, '.ansible/tmp/ansible-tmp-1768446000.12-9981-55512345');
  write(home, 'AnsiballZ_command.py.command', `#!/bin/sh\nexec '${job}'\n`, 0o755);
  return write(home, 'AnsiballZ_command.py', moduleText);
}

function report(path: string): Report {
  return () => (existsSync(path) ? readFileSync(path, 'utf8').trim() : null);
}

function copyOfBash(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  if (!existsSync(path)) copyFileSync('/bin/bash', path);
  return path;
}

function write(folder: string, name: string, text: string, mode = 0o644): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text, { mode });
  return join(folder, name);
}
