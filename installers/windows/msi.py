"""Builds the installer for administrators: generates the repetitive parts of its description (files, menus, policies) for wixl."""

import hashlib
import uuid
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from installers.windows.staging import ICON, WINDOW, release, run, staged

# Property of the installer -> the setting that gets this value for all users, whatever their settings files say.
POLICIES = {"AUTOSTART": "general.autostart", "RECOGNITION": "recognition.enabled", "UPDATES": "updates.enabled"}
_NAMESPACE = "http://schemas.microsoft.com/wix/2006/wi"
_OURS = uuid.UUID("a5139921-131d-4159-8072-30323e97327a")  # never change it: the components' permanent ids derive from it
_KEY = r"Software\AI Popup"
_KINDS = (r"SystemFileAssociations\image", "Directory")
_ACTIONS = {"find": "Find faces with AI Popup", "redact": "Redact with AI Popup"}


def msi(program: Path, out: Path, scratch: Path, *, version: str) -> Path:
    """Build the package from the folder `program`, below the folder `out`.

    Raises ValueError for a folder without a program, and for a beta: Windows Installer compares three numbers only, and would treat it as
    the release. Raises CalledProcessError.
    """
    if ".".join(release(version)) != version:
        raise ValueError("administrators get releases only")
    payload = staged(program, scratch, "msi")
    package = out.absolute() / f"ai-popup-{version}-windows-x64.msi"
    wxs = scratch / "ai-popup.wxs"
    description(payload).write(wxs, encoding="utf-8", xml_declaration=True)
    out.mkdir(parents=True, exist_ok=True)
    values = {"Version": version, "Icon": str(ICON), "Window": _id("file", WINDOW)}
    words = [word for name, value in values.items() for word in ("-D", f"{name}={value}")]
    run(["wixl", "-a", "x64", *words, "-o", str(package), str(wxs)])
    return package


def description(payload: Path) -> "ElementTree.ElementTree[Element]":
    """Return `ai-popup.wxs` with all components."""
    ElementTree.register_namespace("", _NAMESPACE)
    whole = ElementTree.parse(Path(__file__).with_name("ai-popup.wxs"))
    product = whole.getroot()[0]
    folder = _sub(product, "DirectoryRef", Id="INSTALLDIR")
    _files(payload, payload, folder)
    _menus(_component(folder, "menus"))
    for name, setting in POLICIES.items():
        _policy(product, folder, name, setting)
    everything = next(product.iter(_tag("Feature")))
    for component in product.iter(_tag("Component")):
        _sub(everything, "ComponentRef", Id=component.attrib["Id"])
    return whole


def _files(payload: Path, folder: Path, parent: Element) -> None:
    """Add a component for each file, as Windows Installer needs for repair and reference counts. Raises ValueError."""
    for path in sorted(folder.iterdir()):
        if not path.name.isascii():
            raise ValueError(f"wixl would lose this name: {path.name}")
        place = path.relative_to(payload).as_posix()
        if path.is_dir():
            _files(payload, path, _sub(parent, "Directory", Id=_id("folder", place), Name=path.name))
        else:
            _sub(_component(parent, place), "File", Id=_id("file", place), KeyPath="yes", Source=str(path))


def _menus(component: Element) -> None:
    _value(component, _KEY, "Folder", "[INSTALLDIR]", KeyPath="yes")
    target = f"[INSTALLDIR]{WINDOW}"
    start = {"Id": "start", "Directory": "ProgramMenuFolder", "Name": "AI Popup", "Target": target, "Arguments": "run", "Icon": "mark.ico"}
    _sub(component, "Shortcut", **start)
    for kind in _KINDS:
        for verb, label in _ACTIONS.items():
            key = rf"Software\Classes\{kind}\shell\AI Popup {verb}"
            _value(component, key, None, label)
            _value(component, key, "Icon", target)
            _value(component, rf"{key}\command", None, f'"{target}" hand-over {verb} "%1"')


def _policy(product: Element, folder: Element, name: str, setting: str) -> None:
    """Write a machine-wide variable. Installing over it without the property keeps the previous value."""
    _sub(product, "Property", Id=name, Secure="yes")
    refusal = f"{name} is 0 or 1."
    _sub(product, "Condition", Message=refusal).text = f'NOT {name} OR {name}="0" OR {name}="1"'
    before = f"{name}_BEFORE"
    search = {"Root": "HKLM", "Key": rf"{_KEY}\Policies", "Name": name, "Type": "raw", "Win64": "yes"}
    _sub(_sub(product, "Property", Id=before, Secure="yes"), "RegistrySearch", Id=f"Find{name}", **search)
    variable = "AI_POPUP__" + setting.upper().replace(".", "__")
    for source, condition in ((name, name), (before, f"{before} AND NOT {name}")):
        component = _component(folder, f"policy {source}")
        _sub(component, "Condition").text = condition
        _value(component, rf"{_KEY}\Policies", name, f"[{source}]", KeyPath="yes")
        # wixl inverts Permanent: the variable is removed with the program.
        set_it = {"Action": "set", "Part": "all", "System": "yes", "Permanent": "yes"}
        _sub(component, "Environment", Id=f"Set{source}", Name=variable, Value=f"[{source}]", **set_it)


def _component(parent: Element, what: str) -> Element:
    return _sub(parent, "Component", Id=_id("part", what), Guid=str(uuid.uuid5(_OURS, what)).upper(), Win64="yes")


def _value(component: Element, key: str, name: str | None, value: str, **more: str) -> None:
    named = {} if name is None else {"Name": name}
    _sub(component, "RegistryValue", Root="HKLM", Key=key, **named, Type="string", Value=value, **more)


def _sub(parent: Element, name: str, **attributes: str) -> Element:
    return ElementTree.SubElement(parent, _tag(name), attributes)


def _tag(name: str) -> str:
    return f"{{{_NAMESPACE}}}{name}"


def _id(kind: str, what: str) -> str:
    """Return an id within the 72 characters that are allowed."""
    return kind + hashlib.sha256(what.encode()).hexdigest()[:32]
