"""The two entries of Finder's menu for photos and folders: Quick Actions, which a double click installs from the disk image."""

import plistlib
from pathlib import Path
from typing import Any

PROGRAM = "/Applications/AI Popup.app/Contents/MacOS/ai-popup"
ACTIONS = {
    "find": ("Find faces with AI Popup", "用 AI 弹窗助手查找人脸"),
    "redact": ("Redact with AI Popup", "用 AI 弹窗助手打码"),
}


def write_quick_actions(folder: Path) -> list[Path]:
    """Write a workflow for each action below `folder`. Returns their folders."""
    return [_workflow(folder / f"{english}.workflow", verb, english, chinese) for verb, (english, chinese) in ACTIONS.items()]


def _workflow(bundle: Path, verb: str, english: str, chinese: str) -> Path:
    contents = bundle / "Contents"
    words = contents / "Resources" / "zh-Hans.lproj"
    words.mkdir(parents=True)
    service = {
        "NSMenuItem": {"default": english},
        "NSMessage": "runWorkflowAsService",
        "NSRequiredContext": {"NSApplicationIdentifier": "com.apple.finder"},
        "NSSendFileTypes": ["public.image", "public.folder"],
    }
    (contents / "Info.plist").write_bytes(plistlib.dumps({"CFBundleIdentifier": f"ai-popup.{verb}", "NSServices": [service]}))
    (words / "ServicesMenu.strings").write_text(f'"{english}" = "{chinese}";\n', encoding="utf-8")
    (contents / "document.wflow").write_bytes(plistlib.dumps(_document(verb)))
    return bundle


def _document(verb: str) -> dict[str, Any]:
    """Return one step: a shell, which gets the files as arguments."""
    shell = {
        "ActionBundlePath": "/System/Library/Automator/Run Shell Script.action",
        "ActionName": "Run Shell Script",
        "ActionParameters": {
            "COMMAND_STRING": f'exec "{PROGRAM}" hand-over {verb} "$@"',
            "CheckedForUserDefaultShell": True,
            "inputMethod": 1,  # files are passed as arguments
            "shell": "/bin/sh",
            "source": "",
        },
        "AMAccepts": {"Container": "List", "Optional": True, "Types": ["com.apple.cocoa.string"]},
        "AMActionVersion": "2.0.3",
        "AMProvides": {"Container": "List", "Types": ["com.apple.cocoa.string"]},
        "BundleIdentifier": "com.apple.RunShellScript",
        "Class Name": "RunShellScriptAction",
        "InputUUID": "6F0C9B0E-6E46-4F0E-9C3C-1F1A6D0B7A01",
        "OutputUUID": "6F0C9B0E-6E46-4F0E-9C3C-1F1A6D0B7A02",
        "UUID": "6F0C9B0E-6E46-4F0E-9C3C-1F1A6D0B7A03",
    }
    meta = {
        "inputTypeIdentifier": "com.apple.Automator.fileSystemObject",
        "outputTypeIdentifier": "com.apple.Automator.nothing",
        "presentationMode": 11,
        "serviceApplicationBundleID": "com.apple.finder",
        "serviceInputTypeIdentifier": "com.apple.Automator.fileSystemObject",
        "serviceOutputTypeIdentifier": "com.apple.Automator.nothing",
        "workflowTypeIdentifier": "com.apple.Automator.servicesMenu",
    }
    return {
        "AMApplicationBuild": "523",
        "AMDocumentVersion": "2",
        "actions": [{"action": shell}],
        "connectors": {},
        "workflowMetaData": meta,
    }
