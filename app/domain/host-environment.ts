/**
 * The environment of a host that a command starts in the background. It serves everybody who comes later, so it gets what
 * programs need to run at all, and nothing that its first caller happened to have. Pure.
 */
const names = [
  'ALLUSERSPROFILE|APPDATA|COMMONPROGRAM\\w*(?:\\(X86\\))?|COMPUTERNAME|COMSPEC|DRIVERDATA|HOMEDRIVE|HOMEPATH|LOCALAPPDATA',
  'NUMBER_OF_PROCESSORS|OS|PATHEXT|PROCESSOR_\\w+|PROGRAMDATA|PROGRAMFILES(?:\\(X86\\))?|PROGRAMW6432|PSMODULEPATH|PUBLIC',
  'SYSTEMDRIVE|SYSTEMROOT|TEMP|TMP|USERDOMAIN|USERNAME|USERPROFILE|WINDIR',
  'HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\\w+|TZ|TZDIR|XDG_RUNTIME_DIR|WINEPREFIX|WINEDEBUG',
  'UNJAM_(?:HOME|MACHINE_FILE|DEBUG_DISABLE_KILL|WINE_HINT)',
];
const kept = new RegExp(`^(?:${names.join('|')})$`, 'i');

export const hostEnvironment = (environment: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && kept.test(entry[0]),
    ),
  );
