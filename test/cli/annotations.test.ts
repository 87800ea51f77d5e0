/** Unjam's lines in the log of a job: each agent's own format, and nothing in a line that the agent takes for a command. */
import { describe, expect, test } from 'vitest';
import { Annotations } from '../../app/cli/annotations.ts';
import { startInput } from '../../app/cli/script-options.ts';
import { UnjamError } from '../../app/contract/errors.ts';

const story = (annotations: Annotations): string =>
  [
    annotations.of('I101', 'Waiting for mutex "web".'),
    annotations.of('W102', 'The holder looks stuck.'),
    annotations.of('I101', 'Waiting for mutex "web", still.'),
    annotations.of('I103', 'Mutex "web" acquired.'),
    annotations.of('W201', 'Cancel requested, 50 %.'),
    annotations.of('I105', 'It left processes running.'),
    annotations.of(null, 'Cancelled by kim', true),
  ].join('');

describe('the lines of a wait, a warning and an end', () => {
  test('github: a group, warnings and an error', () => {
    expect(story(new Annotations('auto', { GITHUB_ACTIONS: 'true' })))
      .toBe(`::group::unjam: I101 Waiting for mutex "web".
::warning title=Unjam::unjam: W102 The holder looks stuck.
unjam: I101 Waiting for mutex "web", still.
::endgroup::
unjam: I103 Mutex "web" acquired.
::warning title=Unjam::unjam: W201 Cancel requested, 50 %25.
unjam: I105 It left processes running.
::error title=Unjam::unjam: Cancelled by kim
`);
  });

  test('azure: a group and issues', () => {
    expect(story(new Annotations('auto', { TF_BUILD: 'True' }))).toBe(`##[group]unjam: I101 Waiting for mutex "web".
##vso[task.logissue type=warning]unjam: W102 The holder looks stuck.
unjam: I101 Waiting for mutex "web", still.
##[endgroup]
unjam: I103 Mutex "web" acquired.
##vso[task.logissue type=warning]unjam: W201 Cancel requested, 50 %AZP25.
unjam: I105 It left processes running.
##vso[task.logissue type=error]unjam: Cancelled by kim
`);
  });

  test('octopus: modes of the log, each closed again, on stdout', () => {
    const annotations = new Annotations('auto', { TentacleHome: '/etc/octopus/Tentacle' });
    expect(annotations.stream).toBe('stdout');
    expect(story(annotations)).toBe(`##octopus[stdout-highlight]
unjam: I101 Waiting for mutex "web".
##octopus[stdout-default]
##octopus[stdout-warning]
unjam: W102 The holder looks stuck.
##octopus[stdout-default]
unjam: I101 Waiting for mutex "web", still.
##octopus[stdout-highlight]
unjam: I103 Mutex "web" acquired.
##octopus[stdout-default]
##octopus[stdout-warning]
unjam: W201 Cancel requested, 50 %.
##octopus[stdout-default]
unjam: I105 It left processes running.
##octopus[stdout-error]
unjam: Cancelled by kim
##octopus[stdout-default]
`);
  });

  test('buildkite: sections, unfolded by a warning', () => {
    expect(story(new Annotations('auto', { BUILDKITE: 'true' }))).toBe(`--- unjam: I101 Waiting for mutex "web".
unjam: W102 The holder looks stuck.
^^^ +++
unjam: I101 Waiting for mutex "web", still.
--- unjam: I103 Mutex "web" acquired.
unjam: W201 Cancel requested, 50 %.
^^^ +++
unjam: I105 It left processes running.
unjam: Cancelled by kim
^^^ +++
`);
  });

  test.each([
    ['auto', { GITLAB_CI: 'true' }],
    ['auto', {}],
    ['none', { GITHUB_ACTIONS: 'true' }],
  ])('%s in %j: plain lines on stderr', (choice, environment) => {
    const annotations = new Annotations(choice, environment);
    expect(annotations.stream).toBe('stderr');
    expect(annotations.of('W201', 'Cancel requested.')).toBe('unjam: W201 Cancel requested.\n');
  });
});

test.each(['github', 'azure', 'octopus', 'buildkite', 'none'])(
  '%s: a hostile name stays text of one line',
  (format) => {
    const hostile =
      'x\r\n::error::boo\n##vso[task.setvariable variable=PATH]/tmp ##[add-path]/tmp ##octopus[setVariable] \u202e\u001b[2J%0A::x';
    for (const code of ['I101', 'I103', 'W201', 'I105'] as const) {
      const lines = new Annotations(format, {}).of(code, hostile).trimEnd().split('\n');
      const carrying = lines.filter((line) => line.includes('boo'));
      expect(carrying).toHaveLength(1);
      expect(lines.filter((line) => /^(?:::error|##vso\[task\.setv|##\[add|##octopus\[set)/.test(line))).toEqual([]);
      // The format's own command alone is one, and it stands at the beginning.
      expect(carrying[0]?.slice(1)).not.toMatch(/##/);
      // eslint-disable-next-line no-control-regex -- what must not be there
      expect(carrying[0]).not.toMatch(/[\u0000-\u001f\u202e]/);
      if (format === 'github' && code !== 'I103' && code !== 'I105') expect(carrying[0]).not.toContain('%0A');
    }
  },
);

test('another format is refused with the field', () => {
  expect(() => new Annotations('teamcity', {})).toThrow(UnjamError);
});

describe('the name of a job', () => {
  const nameIn = (environment: NodeJS.ProcessEnv): string | undefined => startInput(['true'], {}, environment).name;
  const github = {
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_WORKFLOW: 'Deploy',
    GITHUB_JOB: 'web',
    GITHUB_RUN_NUMBER: '17',
  };

  test.each<[string, NodeJS.ProcessEnv, string]>([
    ['GitHub', github, 'acme/shop / Deploy / web #17'],
    ['GitHub, less', { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'a/b', GITHUB_JOB: 'web' }, 'a/b / web'],
    [
      'Azure',
      { TF_BUILD: 'True', SYSTEM_TEAMPROJECT: 'Shop', BUILD_DEFINITIONNAME: 'CD', BUILD_BUILDNUMBER: '20261201.1', SYSTEM_TASKDISPLAYNAME: 'Deploy web' },
      'Shop / CD 20261201.1 / Deploy web',
    ],
    ['Jenkins', { JENKINS_SERVER_COOKIE: 'x', JOB_NAME: 'shop/main', BUILD_NUMBER: '4', STAGE_NAME: 'Deploy' }, 'shop/main #4 Deploy'],
    ['Jenkins freestyle', { JENKINS_SERVER_COOKIE: 'x', JOB_NAME: 'shop', BUILD_NUMBER: '4' }, 'shop #4'],
    ['Buildkite', { BUILDKITE: 'true', BUILDKITE_PIPELINE_SLUG: 'shop', BUILDKITE_BUILD_NUMBER: '9', BUILDKITE_LABEL: ':rocket: Deploy' }, 'shop #9 :rocket: Deploy'],
    ['GitLab', { GITLAB_CI: 'true', CI_PROJECT_PATH: 'acme/shop', CI_JOB_NAME: 'deploy', CI_JOB_ID: '88' }, 'acme/shop / deploy (job 88)'],
    ['Systems Manager', { SSM_COMMAND_ID: 'b8eac879-0541-439d-94ec-47a80d554f44' }, 'Run Command b8eac879-0541-439d-94ec-47a80d554f44'],
    ['CodeDeploy', { LIFECYCLE_EVENT: 'ApplicationStart', APPLICATION_NAME: 'Shop', DEPLOYMENT_ID: 'd-1' }, 'Shop ApplicationStart (d-1)'],
  ])('%s', (_agent, environment, name) => {
    expect(nameIn(environment)).toBe(name);
  }); // prettier-ignore

  test('Octopus tells no name to its scripts, nor does a plain shell: the command is the name', () => {
    expect(nameIn({ TentacleHome: '/x', TentacleInstanceName: 'Tentacle' })).toBeUndefined();
    expect(nameIn({ GITHUB_JOB: 'left over', JOB_NAME: 'x', BUILD_NUMBER: '1' })).toBeUndefined();
  });

  test('--name wins', () => {
    expect(startInput(['true'], { name: 'mine' }, github).name).toBe('mine');
  });

  test('a hostile one is one visible line, and short enough', () => {
    const name = nameIn({ ...github, GITHUB_WORKFLOW: `a\n\u202eb\u001b[2J${'😀'.repeat(500)}` }) ?? '';
    expect(name).toContain('a ↵ ⟨RLO⟩b⟨ESC⟩[2J');
    expect(name.length).toBeLessThanOrEqual(200);
  });
});
