; A stand-in for the program: `run` stays until `quit` asks it to end. It keeps what the installers' tests need, and nothing of AI Popup.
Unicode true
Target amd64-unicode
RequestExecutionLevel user
SilentInstall silent
OutFile "${OUT}"
!include LogicLib.nsh
!include FileFunc.nsh

Section
  SetShellVarContext current
  StrCpy $9 "$LOCALAPPDATA\ai-popup" ; where the program keeps its library
  CreateDirectory $9
  ${GetParameters} $0
  ${Select} $0
  ${Case} "run"
    FileOpen $1 "$9\running" w
    FileWrite $1 "${VERSION}"
    FileClose $1
    Delete "$9\asked"
    ${DoUntil} ${FileExists} "$9\asked"
      Sleep 50
    ${Loop}
    ${While} ${FileExists} "$9\deaf" ; an agent that does not end
      Sleep 50
    ${EndWhile}
    Delete "$9\asked"
    Delete "$9\running"
  ${Case} "quit"
    ${IfNot} ${FileExists} "$9\running"
      SetErrorLevel 1
      Quit
    ${EndIf}
    FileOpen $1 "$9\asked" w
    FileClose $1
    StrCpy $2 0
    ${While} ${FileExists} "$9\running"
      Sleep 50
      IntOp $2 $2 + 1
      ${If} $2 > 40
        SetErrorLevel 1
        Quit
      ${EndIf}
    ${EndWhile}
  ${Case} "uninstall --library --yes"
    Delete "$LOCALAPPDATA\key of the library"
  ${EndSelect}
SectionEnd
