/** What a service manager is told about the host: a unit for systemd, a task for the Task Scheduler of Windows. Pure. */

export interface ServiceProgram {
  /** Node, by its full path. */
  readonly node: string;
  /** The command line's program, by its full path. */
  readonly program: string;
  readonly stateDirectory: string;
}

const args = ['serve', '--take-over'] as const;

/** Within double quotes systemd still expands `$` and `%` (systemd.service(5), "Command lines"). */
const word = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;

export function systemdUnit({ node, program, stateDirectory }: ServiceProgram): string {
  const home = `UNJAM_HOME=${stateDirectory}`;
  return `# Written by "unjam service install". What is set here holds for every script too, so it hardens only what scripts do
# not need: a deployment writes to the system, changes users and installs packages.
[Unit]
Description=Unjam, the host that supervises deployment scripts
After=network.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${[node, program, ...args].map(word).join(' ')}
Environment=${word(home).replaceAll('$$', '$')}
WorkingDirectory=/
Restart=always
RestartSec=1
# Scripts and their runners outlive the host: only its own process is ended.
KillMode=process
TimeoutStopSec=20
# Each runner makes a cgroup for its script.
Delegate=yes
TasksMax=infinity
RuntimeDirectory=unjam
RuntimeDirectoryMode=0755
KeyringMode=private

[Install]
WantedBy=multi-user.target
`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/**
 * For `schtasks /Create /XML`. Looked at every minute: RestartOnFailure knows no exit code, only a program that does not
 * start; what runs already is left alone (IgnoreNew). https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema
 */
export function scheduledTask({ node, program }: ServiceProgram): string {
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>The Unjam host that supervises deployment scripts. Scripts outlive it.</Description>
  </RegistrationInfo>
  <Triggers>
    <BootTrigger><Enabled>true</Enabled></BootTrigger>
    <TimeTrigger>
      <Repetition><Interval>PT1M</Interval></Repetition>
      <StartBoundary>2000-01-01T00:00:00</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>S-1-5-18</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>false</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <IdleSettings><StopOnIdleEnd>false</StopOnIdleEnd></IdleSettings>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escaped(node)}</Command>
      <Arguments>${escaped([`"${program}"`, ...args].join(' '))}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}
