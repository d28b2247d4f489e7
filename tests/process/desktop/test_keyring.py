"""The library's key in a real keyring: gnome-keyring on a private session bus, in a home of its own, far from the user's."""

from collections.abc import Callable

Run = Callable[[str], str]


def test_the_key_lives_in_the_keyring_and_the_code_brings_it_back(run_with_keyring: Run) -> None:
    output = run_with_keyring(
        """
        open_library(folder, home).close()
        [item] = collection.search_items({"service": "AI Popup"})
        key = keys.unlock()
        code = keys.recovery_code(key)
        print("kept", item.get_secret().hex() not in (folder / "library.keys").read_text())
        item.delete()
        try:
            open_library(folder, home)
        except AgentError as error:
            print(error.code)
        print("same key", keys.recover(code) == key)
        open_library(folder, home).close()
        print("opened")
        """
    )
    assert output.splitlines() == ["kept True", "store.key_missing", "same key True", "opened"]


def test_a_locked_keyring_is_named_in_time(run_with_keyring: Run) -> None:
    output = run_with_keyring(
        """
        open_library(folder, home).close()
        collection.lock()
        try:
            open_library(folder, KeyringHome(limit_s=1))
        except AgentError as error:
            print(error.code)
        """
    )
    assert output == "keys.locked"


def test_without_a_keyring_the_machine_is_told_so(run_with_keyring: Run) -> None:
    output = run_with_keyring(
        """
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent"
        try:
            open_library(folder, home)
        except AgentError as error:
            print(error.code, folder.exists() and list(folder.iterdir()))
        """
    )
    assert output == "keys.no_keyring []"
