/**
 * Starts a program through WMI: a service of Windows starts it as the same user, and so outside of every job of the
 * caller. For a caller whose job ends everything in it and lets nothing leave: a tab of Windows Terminal, `Start-Process
 * -Wait`. It takes a second or two, so it is the second choice.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path/win32';
import { quoteArgument } from './command-line.ts';

export interface OutsideStart {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where its output and errors are appended; null for nowhere. */
  readonly log: string | null;
}

const boundMs = 30_000;

/** Everything comes over standard input as JSON: no value is ever a part of the program's text. */
export const wmiProgram = `
$ErrorActionPreference = 'Stop'
$i = [Console]::In.ReadToEnd() | ConvertFrom-Json
$s = New-CimInstance -ClientOnly -Namespace root/cimv2 -ClassName Win32_ProcessStartup -Property @{ ShowWindow = [uint16]0; EnvironmentVariables = [string[]]$i.environment }
$r = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{ CommandLine = $i.commandLine; CurrentDirectory = $i.folder; ProcessStartupInformation = $s }
if ($r.ReturnValue -ne 0) { throw "Win32_Process.Create answered $($r.ReturnValue)" }
[Console]::Out.Write($r.ProcessId)
`;

/** What the program above is given. cmd.exe appends the output to the log, which WMI cannot. Pure. */
export function wmiInput(start: OutsideStart, systemRoot: string): string {
  const command = [start.file, ...start.args].map((part) => quoteForCmd(part)).join(' ');
  const target = start.log === null ? 'NUL' : quoteForCmd(start.log);
  return JSON.stringify({
    commandLine: `${quoteArgument(join(systemRoot, 'System32', 'cmd.exe'))} /d /s /c "${command} >>${target} 2>&1"`,
    folder: start.cwd,
    environment: Object.entries(start.environment).map(([name, value]) => `${name}=${value}`),
  });
}

/** Paths and options of Unjam's own: they hold no quotation mark; a percent sign would be read as a variable. */
function quoteForCmd(part: string): string {
  if (/["%\r\n\0]/.test(part)) throw new Error(`"${part}" cannot be given to cmd.exe`);
  return `"${part}"`;
}

/** Pid of the cmd.exe around the program; null with the reason when it was not possible. */
export function startThroughWmi(start: OutsideStart): { readonly pid: number } | { readonly why: string } {
  const systemRoot = process.env['SystemRoot'] ?? 'C:\\Windows';
  try {
    const { status, stdout, stderr, error } = spawnSync(
      join(systemRoot, 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe'),
      ['-NoLogo', '-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-Command', wmiProgram],
      { input: wmiInput(start, systemRoot), encoding: 'utf8', timeout: boundMs, windowsHide: true },
    );
    const pid = Number(stdout);
    if (status === 0 && Number.isInteger(pid) && pid > 0) return { pid };
    return { why: error?.message ?? (stderr.trim().split('\n')[0] || `PowerShell ended with code ${status}`) };
  } catch (error) {
    return { why: (error as Error).message };
  }
}
