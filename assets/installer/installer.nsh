; What the installer does besides electron-builder's template. Why: assets/runtime/README.md.
!include "LogicLib.nsh"
!include "FileFunc.nsh"

!define UNJAM_RUNTIMES "$COMMONFILES64\Unjam"
; On the PATH of the machine. It holds unjam.cmd alone, which names the version that was installed last.
!define UNJAM_BIN "${UNJAM_RUNTIMES}\bin"
!define UNJAM_RUN_KEY "Software\Microsoft\Windows\CurrentVersion\Run"
; The exit code of a silent removal that left runtimes behind, because scripts run from them.
!define UNJAM_SCRIPTS_RUN 10
; The exit code of a silent installation into a folder that users may write to.
!define UNJAM_FOLDER_REFUSED 11

; The exit code of an installation that could not make the service it was asked for; the rest is installed.
!define UNJAM_SERVICE_FAILED 12
; The record of the machine's host (app/processes/windows/machine-record.ts).
!define UNJAM_RECORD_KEY "SOFTWARE\Unjam"

; The source of the entries in the Application log (app/processes/windows/event-log.ts). The entries 1 to 1000 of
; EventCreate.exe, which is part of every Windows, are the text alone; Unjam's codes are 101 to 399. TypesSupported: error,
; warning, information.
!define UNJAM_EVENT_SOURCE "SYSTEM\CurrentControlSet\Services\EventLog\Application\Unjam"

; SYSTEM and administrators everything, users reading and starting; owner: administrators; nothing from above.
!define UNJAM_PROGRAM_ACCESS "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
; The state directory of a machine: nobody else. Whoever may speak to its host is a matter of roles.
!define UNJAM_STATE_ACCESS "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

; Gives _FOLDER, and what will be made in it, the access list _LIST. $R9 is 0 when Windows refused; nothing that SYSTEM runs
; may come to lie there then.
!macro unjamCloseFolder _FOLDER _LIST
  StrCpy $R9 0
  System::Call 'advapi32::ConvertStringSecurityDescriptorToSecurityDescriptorW(w "${_LIST}", i 1, *p .r8, p 0) i .R9'
  ${If} $R9 <> 0
    ; OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION
    System::Call 'advapi32::SetFileSecurityW(w "${_FOLDER}", i 0x80000005, p r8) i .R9'
    System::Call 'kernel32::LocalFree(p r8)'
  ${EndIf}
!macroend

; Removes the runtime in ${UNJAM_RUNTIMES}\_NAME unless a runner lives in it: Windows opens a program that runs for nobody to
; write. While its node.exe is held open for writing, no new runner can start from it; that file goes last. $R0 counts the
; runtimes that had to stay; _REBOOT is /REBOOTOK where Windows shall remove them at its next start.
!macro unjamRemoveRuntime _NAME _REBOOT
  ClearErrors
  FileOpen $R3 "${UNJAM_RUNTIMES}\${_NAME}\node.exe" a
  ${If} ${Errors}
    IntOp $R0 $R0 + 1
    !if "${_REBOOT}" != ""
      Delete /REBOOTOK "${UNJAM_RUNTIMES}\${_NAME}\node.exe"
      RMDir /REBOOTOK "${UNJAM_RUNTIMES}\${_NAME}"
    !endif
  ${Else}
    FindFirst $R4 $R5 "${UNJAM_RUNTIMES}\${_NAME}\*.*"
    ${DoWhile} $R5 != ""
      ${If} $R5 != "."
      ${AndIf} $R5 != ".."
      ${AndIf} $R5 != "node.exe"
        ${If} ${FileExists} "${UNJAM_RUNTIMES}\${_NAME}\$R5\*.*"
          RMDir /r "${UNJAM_RUNTIMES}\${_NAME}\$R5"
        ${Else}
          Delete "${UNJAM_RUNTIMES}\${_NAME}\$R5"
        ${EndIf}
      ${EndIf}
      FindNext $R4 $R5
    ${Loop}
    FindClose $R4
    FileClose $R3
    Delete "${UNJAM_RUNTIMES}\${_NAME}\node.exe"
    RMDir "${UNJAM_RUNTIMES}\${_NAME}"
  ${EndIf}
  ClearErrors
!macroend

; Removes every unused runtime but that of version _KEEP; "" keeps none. $R0: how many had to stay.
!macro unjamRemoveRuntimesBut _KEEP _REBOOT
  StrCpy $R0 0
  FindFirst $R1 $R2 "${UNJAM_RUNTIMES}\*.*"
  ${DoWhile} $R2 != ""
    ${If} $R2 != "."
    ${AndIf} $R2 != ".."
    ${AndIf} $R2 != "bin"
    ${AndIf} $R2 != "${_KEEP}"
      !insertmacro unjamRemoveRuntime "$R2" "${_REBOOT}"
    ${EndIf}
    FindNext $R1 $R2
  ${Loop}
  FindClose $R1
  ClearErrors
!macroend

; Copies the runtime out of the installation folder: never moves it, because a file that is moved keeps the access list of
; where it was. Into a folder of its own, which is closed before anything lies in it, and gets its name when it is whole.
!macro unjamCopyRuntime
  RMDir /r "${UNJAM_RUNTIMES}\${VERSION}.new"
  ClearErrors
  CreateDirectory "${UNJAM_RUNTIMES}\${VERSION}.new"
  !insertmacro unjamCloseFolder "${UNJAM_RUNTIMES}\${VERSION}.new" "${UNJAM_PROGRAM_ACCESS}"
  ${If} $R9 <> 0
    CopyFiles /SILENT "$INSTDIR\resources\runtime\*.*" "${UNJAM_RUNTIMES}\${VERSION}.new"
    ${IfNot} ${Errors}
      Rename "${UNJAM_RUNTIMES}\${VERSION}.new" "${UNJAM_RUNTIMES}\${VERSION}"
    ${EndIf}
  ${EndIf}
  ${IfNot} ${FileExists} "${UNJAM_RUNTIMES}\${VERSION}\node.exe"
    RMDir /r "${UNJAM_RUNTIMES}\${VERSION}.new"
    DetailPrint "The runtime could not be copied to ${UNJAM_RUNTIMES}\${VERSION}; the application runs it from its own folder."
  ${Else}
    RMDir /r "$INSTDIR\resources\runtime"
  ${EndIf}
  ClearErrors
!macroend

; One command for ever, whatever version it runs. The line ends the batch file before it starts the program (there is no
; label of that name), so that Ctrl-C asks no "Terminate batch job (Y/N)?"; the arguments are the program's as they came.
; It is replaced as a whole: cmd.exe has read the one line by then.
!macro unjamWriteCommand
  CreateDirectory "${UNJAM_BIN}"
  !insertmacro unjamCloseFolder "${UNJAM_BIN}" "${UNJAM_PROGRAM_ACCESS}"
  ClearErrors
  FileOpen $R3 "${UNJAM_BIN}\unjam.cmd.new" w
  FileWrite $R3 '@goto #_left_# 2>NUL || title unjam & "%~dp0..\${VERSION}\node.exe" "%~dp0..\${VERSION}\dist\cli.js" %*$\r$\n'
  FileClose $R3
  Delete "${UNJAM_BIN}\unjam.cmd"
  Rename "${UNJAM_BIN}\unjam.cmd.new" "${UNJAM_BIN}\unjam.cmd"
  nsExec::Exec '"${UNJAM_RUNTIMES}\${VERSION}\node.exe" "${UNJAM_RUNTIMES}\${VERSION}\dist\setup.js" path add "${UNJAM_BIN}"'
  Pop $R1
  ClearErrors
!macroend

; Asks the tray of this session to end through its own instance lock, and waits for its process up to ten seconds: taskkill
; without /F does not end Electron, whose windows may all be hidden. Trays of other sessions are ended by the template;
; scripts depend on none of them.
!macro unjamCloseTray
  ; The template's cmd.exe looks for programs in its working folder first: that of a download, where others may write.
  System::Call 'kernel32::SetCurrentDirectoryW(w "$SYSDIR")'
  ${If} ${FileExists} "$INSTDIR\${APP_EXECUTABLE_FILENAME}"
    nsExec::Exec '"$INSTDIR\${APP_EXECUTABLE_FILENAME}" --quit'
    Pop $R0
  ${EndIf}
  nsExec::Exec `"$SYSDIR\taskkill.exe" /IM "${APP_EXECUTABLE_FILENAME}"`
  Pop $R0
  ${If} $R0 == 0
    ${For} $R1 1 40
      nsExec::Exec `"$SYSDIR\cmd.exe" /C ""$SYSDIR\tasklist.exe" /FI "IMAGENAME eq ${APP_EXECUTABLE_FILENAME}" /FO CSV /NH | "$SYSDIR\findstr.exe" /I /C:"${APP_EXECUTABLE_FILENAME}""`
      Pop $R0
      ${If} $R0 != 0
        ${ExitFor}
      ${EndIf}
      Sleep 250
    ${Next}
  ${EndIf}
!macroend

; In place of the template's: politely first, then the template's own way. It leaves these two out when this macro is there.
!ifdef APP_EXECUTABLE_FILENAME
  !include "getProcessInfo.nsh"
  Var pid
!endif
!macro customCheckAppRunning
  !insertmacro unjamCloseTray
  !insertmacro IS_POWERSHELL_AVAILABLE
  !insertmacro _CHECK_APP_RUNNING
!macroend

; What may end every process of the machine lies where only administrators can change it. A folder that an earlier version
; was installed to is left for the right one; one that is asked for now is refused.
!macro customInit
  GetFullPathName $R1 "$INSTDIR"
  StrLen $R2 "$PROGRAMFILES64\"
  StrCpy $R3 "$R1" $R2
  ${If} $R3 != "$PROGRAMFILES64\"
    ; NSIS cuts /D= off $CMDLINE.
    System::Call 'kernel32::GetCommandLineW() w .R5'
    ${GetOptions} "$R5" "/D=" $R4
    ${IfNot} ${Errors}
      MessageBox MB_OK|MB_ICONSTOP "Unjam is installed below $PROGRAMFILES64 only: what runs scripts as SYSTEM must not lie where users can change it. Nothing was installed." /SD IDOK
      SetErrorLevel ${UNJAM_FOLDER_REFUSED}
      Quit
    ${EndIf}
    StrCpy $INSTDIR "$PROGRAMFILES64\Unjam"
  ${EndIf}
  ClearErrors
!macroend

; The host as a service, where the person chose it: asked once, /SERVICE on the command line, and on an update where there is
; one: its task names the program of a version. Run again it lets the host of this version take the place of the old one.
!macro unjamService
  StrCpy $R6 0
  SetRegView 64
  ReadRegStr $R7 HKLM "${UNJAM_RECORD_KEY}" "Host"
  ${If} $R7 != ""
    StrCpy $R6 1
  ${Else}
    System::Call 'kernel32::GetCommandLineW() w .R5'
    ${GetOptions} "$R5" "/SERVICE" $R4
    ${IfNot} ${Errors}
      StrCpy $R6 1
    ${Else}
      MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "Shall one host serve the whole machine, as a service of SYSTEM from its start on?$\r$\n$\r$\nYes where deployment agents run as services. No where scripts are yours alone: a host of your own starts when it is needed." /SD IDNO IDNO +2
      StrCpy $R6 1
    ${EndIf}
  ${EndIf}
  ${If} $R6 = 1
    nsExec::ExecToStack '"${UNJAM_RUNTIMES}\${VERSION}\node.exe" "${UNJAM_RUNTIMES}\${VERSION}\dist\cli.js" service install'
    Pop $R1
    Pop $R2
    ${If} $R1 != 0
      DetailPrint "$R2"
      SetErrorLevel ${UNJAM_SERVICE_FAILED}
      MessageBox MB_OK|MB_ICONEXCLAMATION "Unjam is installed, its service is not:$\r$\n$\r$\n$R2$\r$\n$\r$\nNext: unjam service install, in a terminal of an administrator." /SD IDOK
    ${EndIf}
  ${EndIf}
  ClearErrors
!macroend

!macro customInstall
  CreateDirectory "${UNJAM_RUNTIMES}"
  !insertmacro unjamCloseFolder "${UNJAM_RUNTIMES}" "${UNJAM_PROGRAM_ACCESS}"
  SetShellVarContext all
  ${IfNot} ${FileExists} "$APPDATA\Unjam\*.*"
    CreateDirectory "$APPDATA\Unjam"
    !insertmacro unjamCloseFolder "$APPDATA\Unjam" "${UNJAM_STATE_ACCESS}"
  ${EndIf}
  ; The same version again, a repair: replaced when it is unused, kept when a runner lives in it (the files are the same).
  ${If} ${FileExists} "${UNJAM_RUNTIMES}\${VERSION}\*.*"
    !insertmacro unjamRemoveRuntime "${VERSION}" ""
  ${EndIf}
  ${IfNot} ${FileExists} "${UNJAM_RUNTIMES}\${VERSION}\*.*"
    !insertmacro unjamCopyRuntime
  ${Else}
    RMDir /r "$INSTDIR\resources\runtime"
  ${EndIf}
  !insertmacro unjamWriteCommand
  ; A host of the old version in the background makes room; the next command starts one of this version. Scripts go on.
  nsExec::Exec '"${UNJAM_RUNTIMES}\${VERSION}\node.exe" "${UNJAM_RUNTIMES}\${VERSION}\dist\cli.js" serve --stop'
  Pop $R1
  !insertmacro unjamService
  !insertmacro unjamRemoveRuntimesBut "${VERSION}" ""
  WriteRegExpandStr HKLM "${UNJAM_EVENT_SOURCE}" "EventMessageFile" "%SystemRoot%\System32\EventCreate.exe"
  WriteRegDWORD HKLM "${UNJAM_EVENT_SOURCE}" "TypesSupported" 7
  ClearErrors
!macroend

; "Start at sign-in" of everybody who is signed in: the Run value of each hive that is loaded.
!macro unjamRemoveRunValues
  StrCpy $R1 0
  ${Do}
    EnumRegKey $R2 HKU "" $R1
    ${If} $R2 == ""
      ${ExitDo}
    ${EndIf}
    DeleteRegValue HKU "$R2\${UNJAM_RUN_KEY}" "Unjam"
    DeleteRegValue HKU "$R2\${UNJAM_RUN_KEY}" "Unjam.Desktop"
    IntOp $R1 $R1 + 1
  ${Loop}
  ClearErrors
!macroend

; Says which scripts run, and that they go on. Silently nothing is asked: the exit code tells.
!macro unjamListScripts
  nsExec::ExecToStack '"${UNJAM_BIN}\unjam.cmd" ps'
  Pop $R1
  Pop $R2
  ${If} $R1 == 0
    DetailPrint "$R2"
    MessageBox MB_OK|MB_ICONINFORMATION "Scripts still run under Unjam. They go on, and nobody watches them any more. What they run from is removed when Windows starts again.$\r$\n$\r$\n$R2" /SD IDOK
  ${EndIf}
!macroend

; What is left, line by line: what is not there is not named. Silently nothing is shown; the details have it in any case.
!macro unjamSayWhatStays
  StrCpy $R2 ""
  SetShellVarContext all
  ${If} ${FileExists} "$APPDATA\Unjam\*.*"
    StrCpy $R2 "$R2$\r$\n$APPDATA\Unjam: what scripts of this machine did"
  ${EndIf}
  SetShellVarContext current
  ${If} ${FileExists} "$LOCALAPPDATA\Unjam\*.*"
    StrCpy $R2 "$R2$\r$\n$LOCALAPPDATA\Unjam: what your scripts did; other users may have such a folder too"
  ${EndIf}
  SetShellVarContext all
  ReadRegStr $R7 HKLM "${UNJAM_RECORD_KEY}" "Host"
  ${If} $R7 != ""
    StrCpy $R2 "$R2$\r$\nThe task \Unjam\Host of the Task Scheduler: it could not be removed"
  ${EndIf}
  EnumRegValue $R7 HKLM "SOFTWARE\Policies\Unjam" 0
  ${If} $R7 != ""
    StrCpy $R2 "$R2$\r$\nHKLM\SOFTWARE\Policies\Unjam: the policies of your administrator"
  ${EndIf}
  ${If} $R6 <> 0
    StrCpy $R2 "$R2$\r$\n${UNJAM_RUNTIMES}: scripts run from there; it goes when Windows starts again"
  ${EndIf}
  ${If} $R2 != ""
    StrCpy $R2 "Unjam is removed. This stays:$\r$\n$R2"
    DetailPrint "$R2"
    MessageBox MB_OK|MB_ICONINFORMATION "$R2" /SD IDOK
  ${EndIf}
!macroend

!macro customUnInstall
  ; An update uninstalls the old version first: the runtimes are the next installer's business then.
  ${IfNot} ${isUpdated}
    StrCpy $R6 0
    ${If} ${FileExists} "${UNJAM_RUNTIMES}\${VERSION}\dist\cli.js"
      ; First the task, which would start another host.
      nsExec::Exec '"${UNJAM_RUNTIMES}\${VERSION}\node.exe" "${UNJAM_RUNTIMES}\${VERSION}\dist\cli.js" service remove'
      Pop $R1
      nsExec::Exec '"${UNJAM_RUNTIMES}\${VERSION}\node.exe" "${UNJAM_RUNTIMES}\${VERSION}\dist\cli.js" serve --stop'
      Pop $R1
      nsExec::Exec '"${UNJAM_RUNTIMES}\${VERSION}\node.exe" "${UNJAM_RUNTIMES}\${VERSION}\dist\setup.js" path remove "${UNJAM_BIN}"'
      Pop $R1
    ${EndIf}
    ; Asked before anything goes: it needs the runtime to answer.
    FileOpen $R3 "${UNJAM_RUNTIMES}\${VERSION}\node.exe" a
    ${If} ${Errors}
      ${IfNot} ${Silent}
        !insertmacro unjamListScripts
      ${EndIf}
    ${Else}
      FileClose $R3
    ${EndIf}
    !insertmacro unjamRemoveRuntimesBut "" "/REBOOTOK"
    StrCpy $R6 $R0
    Delete "${UNJAM_BIN}\unjam.cmd"
    RMDir "${UNJAM_BIN}"
    !insertmacro unjamRemoveRunValues
    ${If} $R6 = 0
      RMDir "${UNJAM_RUNTIMES}"
      DeleteRegKey HKLM "${UNJAM_EVENT_SOURCE}"
    ${Else}
      RMDir /REBOOTOK "${UNJAM_RUNTIMES}"
      SetErrorLevel ${UNJAM_SCRIPTS_RUN}
    ${EndIf}
    SetRegView 64
    DeleteRegKey /ifempty HKLM "${UNJAM_RECORD_KEY}"
    !insertmacro unjamSayWhatStays
    ClearErrors
  ${EndIf}
!macroend
