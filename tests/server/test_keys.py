"""Master keys come from a text or from a private file, and are never shown."""

from __future__ import annotations

import base64
import pickle
import stat
import subprocess
import sys

import pytest
from pydantic import SecretStr

from plugbay.errors import ConfigurationError
from plugbay.server.keys import StaticKeys, read_key_file
from plugbay.server.vault import Vault

ONE, TWO = base64.b64encode(b"1" * 32).decode(), base64.b64encode(b"2" * 32).decode()


async def test_the_first_key_seals_and_all_open():
    """The first key of the list wraps; what another of the list wrapped opens as well."""
    old = await Vault(StaticKeys.parse(SecretStr(f"old:{ONE}"))).seal(b"x", "place")
    both = Vault(StaticKeys.parse(SecretStr(f" new:{TWO} , old:{ONE}")))
    assert ("new", b"x") == (await both.newest(), await both.open(old, "place"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No master key is given."),
        (" , \n", "No master key is given."),
        ("a:%%%secret", "A master key is not base64."),
        (f"a:{ONE[:-4]}", "A master key is not of the form that is needed."),
        (ONE, "A master key is not of the form that is needed."),
        (f"a b:{ONE}", "A master key is not of the form that is needed."),
        (f"{'a' * 65}:{ONE}", "A master key is not of the form that is needed."),
        (f"a:{ONE},a:{TWO}", "Two master keys have the same id."),
    ],
)
def test_a_text_of_another_form_is_refused_without_being_quoted(text, message):
    """What is wrong with the keys is said, and nothing of them."""
    with pytest.raises(ConfigurationError) as caught:
        StaticKeys.parse(SecretStr(text))
    assert message == caught.value.message
    assert [] == [each for each in (ONE, ONE[:-4], "secret") if each in str(caught.value)]


def test_keys_are_not_shown_and_not_pickled():
    """A repr names ids alone, and a pickle is refused."""
    keys = StaticKeys.parse(SecretStr(f"b:{TWO},a:{ONE}"))
    assert "StaticKeys(['b', 'a'])" == repr(keys)
    with pytest.raises(TypeError, match=r"^Master keys are not pickled\.$"):
        pickle.dumps(keys)


async def test_a_key_file_is_made_once_and_read_again(tmp_path):
    """The file is made with a key, for its owner alone, and the next start reads the same key."""
    path = tmp_path / "plugbay.db.key"
    sealed = await Vault(read_key_file(path, create=True)).seal(b"x", "place")
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert b"x" == await Vault(read_key_file(path, create=True)).open(sealed, "place")
    assert [path] == list(tmp_path.iterdir())


def test_processes_that_start_at_once_agree_on_the_key(tmp_path):
    """Of several processes that make the file at once one does, and all have its key."""
    program = (
        "import sys, pathlib; from plugbay.server.keys import read_key_file\n"
        "sys.stdin.read(1)\n"
        "print(sorted(read_key_file(pathlib.Path(sys.argv[1]), create=True)._keys.values()))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "key")]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        process.stdin.write("x")
        process.stdin.flush()
    assert 1 == len({process.communicate(timeout=60)[0] for process in started})
    assert [tmp_path / "key"] == list(tmp_path.iterdir())


def test_comments_and_lines_are_read(tmp_path):
    """A key file has a key in each line, and lines that begin with a hash are left out."""
    path = tmp_path / "key"
    path.write_text(f"# newest first\nb:{TWO}\n\na:{ONE}\n")
    path.chmod(0o600)
    assert "StaticKeys(['b', 'a'])" == repr(read_key_file(path, create=False))


def test_a_missing_file_is_not_made_unless_asked_for(tmp_path):
    """A key file that should be there and is not is an error that names it."""
    with pytest.raises(ConfigurationError, match=r"^The key file .*key is missing\. Put it back from its backup"):
        read_key_file(tmp_path / "key", create=False)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="there are no modes")
def test_a_file_that_others_may_read_is_refused(tmp_path):
    """A key that others could read is no secret any more; the message speaks of keys, and of what to do."""
    path = tmp_path / "key"
    path.write_text(f"a:{ONE}\n")
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"is for keys, and its mode 0644 .* rotate the keys as well\.$"):
        read_key_file(path, create=False)
