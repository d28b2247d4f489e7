; The installer for one user: no administrator, no questions but one. installers/windows/build.py calls makensis with the names below.
;
;   /S       silent: nothing is asked, nothing is shown
;   /START   start the program when done, even silently and even if nothing was installed (it is started anyway if it ran before)
;   /UNPACK  only unpack the program into "AI Popup.new", beside its place, where the previous version tries it (agent/features/updates)
;   /PURGE   uninstaller: remove the library too; silently it is kept without this
;
; Exit codes: 0 done, 1 cancelled, 2 could not write (the previous version is restored), 3 not enough disk space, 4 a file is in use.

!ifndef VERSION | NUMERIC_VERSION | PAYLOAD | SIZE_MB | ICON | OUT
  !error "Call installers/windows/build.py"
!endif
!ifndef PATIENCE_S
  !define PATIENCE_S 30 ; wait for files to be released after the agent ended: virus scanners keep them open
!endif

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
SetCompressorDictSize 64
RequestExecutionLevel user
ManifestDPIAware true
CRCCheck force
Name "AI Popup"
OutFile "${OUT}"
BrandingText "AI Popup ${VERSION}"

!include MUI2.nsh
!include LogicLib.nsh
!include FileFunc.nsh

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\ai-popup"
!define RUN_KEY "Software\Microsoft\Windows\CurrentVersion\Run"
!define CLASSES "Software\Classes"

VIProductVersion "${NUMERIC_VERSION}"
VIAddVersionKey "ProductName" "AI Popup"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "AI Popup"
VIAddVersionKey "LegalCopyright" "Apache-2.0"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_WELCOMEFINISHPAGE_BITMAP "${__FILEDIR__}/side.bmp"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_FUNCTION Launch
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "SimpChinese"

LangString FIND ${LANG_ENGLISH} "Find faces with AI Popup"
LangString FIND ${LANG_SIMPCHINESE} "用 AI 弹窗助手查找人脸"
LangString REDACT ${LANG_ENGLISH} "Redact with AI Popup"
LangString REDACT ${LANG_SIMPCHINESE} "用 AI 弹窗助手打码"
LangString NO_SPACE ${LANG_ENGLISH} "AI Popup needs ${SIZE_MB} MB on this disk, but only $1 MB are free. Nothing was changed. Make room, then start the installer again."
LangString NO_SPACE ${LANG_SIMPCHINESE} "AI Popup 需要 ${SIZE_MB} MB 磁盘空间，但只剩 $1 MB。没有做任何更改。请腾出空间，然后重新运行安装程序。"
LangString IN_USE ${LANG_ENGLISH} "$0 is in use by another program, or AI Popup is still running. Close it, then choose Retry. Nothing was changed."
LangString IN_USE ${LANG_SIMPCHINESE} "$0 正被其他程序使用，或者 AI Popup 仍在运行。请关闭它，然后选择“重试”。没有做任何更改。"
LangString PUT_BACK ${LANG_ENGLISH} "The installation failed. The version before is back in its place."
LangString PUT_BACK ${LANG_SIMPCHINESE} "安装失败。已恢复之前的版本。"
LangString PURGE ${LANG_ENGLISH} "Do you also want to delete your library: the names you gave, face prints, settings and backups? This can't be undone. Your photos stay where they are in either case.$\r$\n$\r$\nNo keeps the library for a later installation."
LangString PURGE ${LANG_SIMPCHINESE} "是否也要删除你的图库，包括你取的名字、人脸特征、设置和备份？删除后无法恢复。无论如何，你的照片都会留在原处。$\r$\n$\r$\n选择“否”会保留图库，供以后安装时使用。"

Var WasRunning
Var Purge
Var Unpack

!macro LAUNCH un
Function ${un}Launch
  Exec '"$INSTDIR\ai-popup-window.exe" run'
FunctionEnd
!macroend
!insertmacro LAUNCH ""
!insertmacro LAUNCH "un."

; Ask a running agent to end, and wait until no program file is in use. $0 names the file that stays in use.
!macro LET_GO un
Function ${un}LetGo
  IfFileExists "$INSTDIR\ai-popup.exe" 0 done
  again:
  nsExec::Exec '"$INSTDIR\ai-popup.exe" quit' ; returns when the agent has ended; 1 if none was running
  Pop $1
  ${If} $1 == 0
    StrCpy $WasRunning 1
  ${EndIf}
  StrCpy $2 0
  wait:
  StrCpy $0 "ai-popup.exe"
  ClearErrors
  FileOpen $3 "$INSTDIR\ai-popup.exe" a
  IfErrors held
  FileClose $3
  StrCpy $0 "ai-popup-window.exe"
  IfFileExists "$INSTDIR\ai-popup-window.exe" 0 free
  FileOpen $3 "$INSTDIR\ai-popup-window.exe" a
  IfErrors held
  FileClose $3
  free:
  ; The whole folder: Windows renames it only while nothing inside is in use. It is also the way back if the new files can't be written.
  StrCpy $0 "$INSTDIR"
  RMDir /r "$INSTDIR.old"
  ClearErrors
  Rename "$INSTDIR" "$INSTDIR.old"
  IfErrors 0 done
  held:
  IntOp $2 $2 + 1
  ${If} $2 < ${PATIENCE_S}
    Sleep 1000
    Goto wait
  ${EndIf}
  MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(IN_USE)" /SD IDCANCEL IDRETRY again
  ${If} $WasRunning == 1
    Call ${un}Launch ; restore the previous state
  ${EndIf}
  SetErrorLevel 4
  Quit
  done:
FunctionEnd
!macroend
!insertmacro LET_GO ""
!insertmacro LET_GO "un."

; An entry in the context menu of a file type: Windows starts its command once for each selected file.
!macro ACTION place verb label
  WriteRegStr HKCU "${CLASSES}\${place}\shell\AI Popup ${verb}" "" "${label}"
  WriteRegStr HKCU "${CLASSES}\${place}\shell\AI Popup ${verb}" "Icon" '"$INSTDIR\ai-popup-window.exe"'
  WriteRegStr HKCU "${CLASSES}\${place}\shell\AI Popup ${verb}\command" "" '"$INSTDIR\ai-popup-window.exe" hand-over ${verb} "%1"'
!macroend

!macro NO_ACTIONS place
  DeleteRegKey HKCU "${CLASSES}\${place}\shell\AI Popup find"
  DeleteRegKey HKCU "${CLASSES}\${place}\shell\AI Popup redact"
!macroend

Function .onInit
  ; Always here: a folder chosen by the user may contain other files, which replacing it whole would remove.
  StrCpy $INSTDIR "$LOCALAPPDATA\Programs\AI Popup"
  StrCpy $Unpack 0
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/UNPACK" $1
  ${IfNot} ${Errors}
    StrCpy $Unpack 1
    StrCpy $INSTDIR "$INSTDIR.new"
    RMDir /r "$INSTDIR"
  ${EndIf}
  StrCpy $WasRunning 0
  ClearErrors
  ${GetOptions} $0 "/START" $1
  ${IfNot} ${Errors}
    StrCpy $WasRunning 1
  ${EndIf}
  ${DriveSpace} "$LOCALAPPDATA\" "/D=F /S=M" $1
  IfErrors enough ; the drive does not report: writing will show
  ${If} $1 < ${SIZE_MB}
    MessageBox MB_OK|MB_ICONSTOP "$(NO_SPACE)" /SD IDOK
    ${If} $WasRunning == 1
      Call Launch ; the previous version, which ended for this one
    ${EndIf}
    SetErrorLevel 3
    Quit
  ${EndIf}
  enough:
FunctionEnd

Section
  SetShellVarContext current
  ${If} $Unpack == 0
    Call LetGo
  ${EndIf}
  SetOutPath "$INSTDIR"
  File /r "${PAYLOAD}/*"
  ${If} $Unpack == 1
    SetOutPath "$TEMP"
    Return
  ${EndIf}
  WriteUninstaller "$INSTDIR\uninstall.exe"

  CreateShortcut "$SMPROGRAMS\AI Popup.lnk" "$INSTDIR\ai-popup-window.exe" "run" "$INSTDIR\ai-popup-window.exe"
  !insertmacro ACTION "SystemFileAssociations\image" "find" "$(FIND)"
  !insertmacro ACTION "SystemFileAssociations\image" "redact" "$(REDACT)"
  !insertmacro ACTION "Directory" "find" "$(FIND)"
  !insertmacro ACTION "Directory" "redact" "$(REDACT)"

  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "AI Popup"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\ai-popup-window.exe"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "Publisher" "AI Popup"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" $0

  SetOutPath "$TEMP" ; none of our folders may be a working folder
  RMDir /r "$INSTDIR.old"
  ${If} ${Silent}
  ${AndIf} $WasRunning == 1
    Call Launch
  ${EndIf}
SectionEnd

Function .onInstFailed
  SetOutPath "$TEMP"
  ${If} $Unpack == 1
    RMDir /r "$INSTDIR"
    Return
  ${EndIf}
  IfFileExists "$INSTDIR.old\*.*" 0 nothing
  RMDir /r "$INSTDIR"
  Rename "$INSTDIR.old" "$INSTDIR"
  MessageBox MB_OK|MB_ICONSTOP "$(PUT_BACK)" /SD IDOK
  ${If} $WasRunning == 1
    Call Launch
  ${EndIf}
  nothing:
FunctionEnd

Function un.onInit
  StrCpy $WasRunning 0
  StrCpy $Purge 0
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PURGE" $1
  ${IfNot} ${Errors}
    StrCpy $Purge 1
  ${EndIf}
FunctionEnd

Section "Uninstall"
  SetShellVarContext current
  SetOutPath "$TEMP"
  Call un.LetGo
  ${If} $Purge == 0
    MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$(PURGE)" /SD IDNO IDNO keep
    StrCpy $Purge 1
    keep:
  ${EndIf}
  ${If} $Purge == 1
    ; From where LetGo moved it: the program knows the library's key and where it is kept. Nothing else runs any more.
    nsExec::Exec /TIMEOUT=60000 '"$INSTDIR.old\ai-popup.exe" uninstall --library --yes'
    Pop $1
    RMDir /r "$LOCALAPPDATA\ai-popup" ; also for a broken program: agent/infrastructure/core/paths.py
  ${EndIf}
  RMDir /r "$INSTDIR.old" ; where LetGo moved it
  RMDir /r "$INSTDIR.new" ; and a version waiting for its trial
  Delete "$INSTDIR.setup.exe"
  Delete "$INSTDIR\uninstall.exe" ; and the remains of a broken installation
  RMDir /r "$INSTDIR\_internal"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\AI Popup.lnk"
  !insertmacro NO_ACTIONS "SystemFileAssociations\image"
  !insertmacro NO_ACTIONS "Directory"
  DeleteRegValue HKCU "${RUN_KEY}" "AI Popup" ; autostart, if it was switched on: agent/desktop/system/autostart.py
  DeleteRegKey HKCU "${UNINSTALL_KEY}"
  RMDir "$LOCALAPPDATA\Programs" ; only if nothing else is in it
SectionEnd
