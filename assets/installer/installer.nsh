; What the installer does besides electron-builder's template. Why: assets/runtime/README.md.
!include "LogicLib.nsh"

!define UNJAM_RUNTIMES "$COMMONFILES64\Unjam"

; The source of the entries in the Application log (app/processes/windows/event-log.ts). The entries 1 to 1000 of
; EventCreate.exe, which is part of every Windows, are the text alone; Unjam's codes are 101 to 399. TypesSupported: error,
; warning, information.
!define UNJAM_EVENT_SOURCE "SYSTEM\CurrentControlSet\Services\EventLog\Application\Unjam"

; Removes the runtime in ${UNJAM_RUNTIMES}\_NAME unless a runner lives in it: Windows opens a program that runs for nobody to
; write. Asked before anything is deleted, so that a runner never loses half of its files.
!macro unjamRemoveRuntime _NAME
  ClearErrors
  FileOpen $R3 "${UNJAM_RUNTIMES}\${_NAME}\node.exe" a
  ${IfNot} ${Errors}
    FileClose $R3
    RMDir /r "${UNJAM_RUNTIMES}\${_NAME}"
  ${EndIf}
  ClearErrors
!macroend

; Removes every unused runtime but that of version _KEEP; "" keeps none.
!macro unjamRemoveRuntimesBut _KEEP
  FindFirst $R1 $R2 "${UNJAM_RUNTIMES}\*.*"
  ${DoWhile} $R2 != ""
    ${If} $R2 != "."
    ${AndIf} $R2 != ".."
    ${AndIf} $R2 != "${_KEEP}"
      !insertmacro unjamRemoveRuntime "$R2"
    ${EndIf}
    FindNext $R1 $R2
  ${Loop}
  FindClose $R1
  ClearErrors
!macroend

; Asks the tray to end, and waits for it up to ten seconds: taskkill without /F posts WM_CLOSE to its windows, the hidden one
; included (main/session-end.ts). The template alone would end it in the middle of a write.
!macro unjamCloseTray
  nsExec::Exec `"$SYSDIR\taskkill.exe" /IM "${APP_EXECUTABLE_FILENAME}"`
  Pop $R0
  ${If} $R0 == 0
    ${For} $R1 1 40
      nsExec::Exec `"$SYSDIR\cmd.exe" /C tasklist /FI "IMAGENAME eq ${APP_EXECUTABLE_FILENAME}" /FO CSV /NH | "$SYSDIR\findstr.exe" /I /C:"${APP_EXECUTABLE_FILENAME}"`
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

!macro customInstall
  CreateDirectory "${UNJAM_RUNTIMES}"
  !insertmacro unjamRemoveRuntimesBut "${VERSION}"
  ; The same version again, a repair: replaced when it is unused, kept when a runner lives in it (the files are the same).
  ${If} ${FileExists} "${UNJAM_RUNTIMES}\${VERSION}\*.*"
    !insertmacro unjamRemoveRuntime "${VERSION}"
  ${EndIf}
  ${IfNot} ${FileExists} "${UNJAM_RUNTIMES}\${VERSION}\*.*"
    ClearErrors
    Rename "$INSTDIR\resources\runtime" "${UNJAM_RUNTIMES}\${VERSION}"
    ; A rename does not reach another drive.
    ${If} ${Errors}
      ClearErrors
      CreateDirectory "${UNJAM_RUNTIMES}\${VERSION}"
      CopyFiles /SILENT "$INSTDIR\resources\runtime\*.*" "${UNJAM_RUNTIMES}\${VERSION}"
    ${EndIf}
  ${EndIf}
  RMDir /r "$INSTDIR\resources\runtime"
  WriteRegExpandStr HKLM "${UNJAM_EVENT_SOURCE}" "EventMessageFile" "%SystemRoot%\System32\EventCreate.exe"
  WriteRegDWORD HKLM "${UNJAM_EVENT_SOURCE}" "TypesSupported" 7
  ClearErrors
!macroend

!macro customUnInstall
  ; An update uninstalls the old version first: the runtimes are the next installer's business then.
  ${IfNot} ${isUpdated}
    !insertmacro unjamRemoveRuntimesBut ""
    RMDir "${UNJAM_RUNTIMES}"
    DeleteRegKey HKLM "${UNJAM_EVENT_SOURCE}"
    ClearErrors
  ${EndIf}
!macroend
