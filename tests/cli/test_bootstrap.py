"""`./linac` on a project of a few lines: no package is installed, so no network is needed."""

import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("bootstrap")  # one worker, one environment

RUN = "import sys, runpy; {}; sys.argv = ['linac']; runpy.run_path('linac', run_name='__main__')"
PRETEND_OLD = RUN.format("sys.version_info = (3, 9, 1)")
PRETEND_BARE = RUN.format("sys.modules['ensurepip'] = None")


@pytest.fixture(scope="module")
def made(root, tmp_path_factory):
    """A project whose environment is made: (folder, what the first start printed)."""
    folder = new_project(root, tmp_path_factory.mktemp("project"))
    return folder, start(folder, "hello", "a b")


def new_project(root, folder):
    """./linac, empty locks, and a package that prints what it is given."""
    for name in ("linac", "pyproject.toml"):
        shutil.copy(root / name, folder / name)
    (folder / "requirements").mkdir()
    (folder / "linac_ctl").mkdir()
    for lock in ("lock.txt", "lock-test.txt"):
        (folder / "requirements" / lock).write_text("# nothing\n")
    (folder / "linac_ctl" / "__main__.py").write_text("import sys; print(sys.argv[1:], sys.prefix)\n")
    return folder


def start(folder, *words, code=None, **environment):
    """Run ./linac (or `python -c code`) from another folder; without uv on the path, as on a bare machine."""
    command = [sys.executable, "-c", code] if code else [sys.executable, str(folder / "linac"), *words]
    return subprocess.run(command, cwd=folder if code else "/", capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment})


def test_the_first_start_makes_an_environment_and_runs_the_command_in_it(made):
    folder, first = made
    assert first.returncode == 0, first.stderr
    assert first.stdout.strip() == f"['hello', 'a b'] {folder / '.venv'}"
    assert "installing into .venv, once" in first.stderr


def test_a_later_start_goes_straight_to_the_command(made):
    folder, _ = made
    again = start(folder, "x")
    assert (again.returncode, again.stderr) == (0, "") and again.stdout.startswith("['x']")


def test_the_exit_code_is_that_of_the_command(made):
    folder, _ = made
    (folder / "linac_ctl" / "ends.py").write_text("raise SystemExit(4)\n")
    main = folder / "linac_ctl" / "__main__.py"
    whole = main.read_text()
    main.write_text("import linac_ctl.ends\n")
    ended = start(folder)
    main.write_text(whole)
    assert ended.returncode == 4


def test_an_environment_without_its_stamp_is_half_made_and_is_made_anew(made):
    folder, _ = made
    (folder / ".venv" / "run.stamp").unlink()
    (folder / ".venv" / "left-over").write_text("")
    again = start(folder, "x")
    assert again.returncode == 0 and "installing" in again.stderr
    assert not (folder / ".venv" / "left-over").exists()


def test_a_changed_lock_installs_again_and_two_starts_at_once_do_it_once(made):
    folder, _ = made
    (folder / "requirements" / "lock.txt").write_text("# nothing new\n")
    command = [sys.executable, str(folder / "linac"), "x"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env={"PATH": "/usr/bin:/bin", "HOME": str(folder)}) for _ in range(2)]
    answers = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0] and all(out.startswith("['x']") for out, _ in answers)
    assert sum("installing" in err for _, err in answers) == 1


def test_a_package_with_another_hash_is_refused_in_one_line_and_leaves_no_stamp(root, tmp_path):
    folder = new_project(root, tmp_path)
    (folder / "wheels").mkdir()
    (folder / "wheels" / "thing-1.0-py3-none-any.whl").write_bytes(b"not what was locked")
    (folder / "requirements" / "lock.txt").write_text(f"thing==1.0 --hash=sha256:{'0' * 64}\n")
    failed = start(folder, "x", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(folder / "wheels"))
    assert failed.returncode == 1 and failed.stdout == ""
    assert failed.stderr.splitlines()[-1].startswith("linac: error: setting up .venv failed (exit 1")
    assert not (folder / ".venv" / "run.stamp").exists()


@pytest.mark.parametrize("code, words", [
    (PRETEND_OLD, "needs Python 3.11 or newer, this is 3.9"), (PRETEND_BARE, "apt install python3-venv"),
])
def test_a_computer_that_lacks_something_is_told_in_one_line(root, tmp_path, code, words):
    told = start(new_project(root, tmp_path), code=code)
    assert told.returncode == 1 and words in told.stderr.splitlines()[-1] and "Traceback" not in told.stderr


@pytest.mark.parametrize("lock", ["lock.txt", "lock-test.txt"])
def test_locks_hold_hashes_and_name_no_place_to_load_from(root, lock):
    text = (root / "requirements" / lock).read_text()
    assert "://" not in text and "index-url" not in text and "find-links" not in text
    blocks = text.replace("\\\n", " ").splitlines()
    pinned = [row for row in blocks if row and not row.lstrip().startswith("#")]
    assert len(pinned) > 10 and all("==" in row and "--hash=sha256:" in row for row in pinned)


def test_the_test_lock_holds_the_same_versions_as_the_lock_of_runs(root):
    def versions(lock):
        rows = (root / "requirements" / lock).read_text().splitlines()
        return {row.split()[0] for row in rows if "==" in row and not row.startswith((" ", "#"))}

    assert versions("lock.txt") < versions("lock-test.txt")


def test_the_project_asks_for_what_its_lock_was_made_from(root):
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    for name, wanted in (("core.in", project["dependencies"]), ("test.in", project["optional-dependencies"]["test"])):
        rows = (root / "requirements" / name).read_text().splitlines()
        assert sorted(row.lower() for row in rows if row and not row.startswith(("#", "-r"))) == sorted(w.lower() for w in wanted)


def test_the_bootstrap_is_short_and_can_be_started(root):
    path = root / "linac"
    assert os.access(path, os.X_OK) and len([row for row in path.read_text().splitlines() if row.strip()]) <= 80
