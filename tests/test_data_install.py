"""Sets come in whole and as published, or not at all: from mirrors on the loopback, folders, archives, arrays."""

import gzip
import hashlib
import io
import os
import pickle
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from jscc_sim.data import (
    SETS,
    Archive,
    ImageSet,
    SetFile,
    data_home,
    describe,
    fetch,
    import_set,
    load_images,
    load_labels,
)

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (7, 4, 3), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
LABELS = np.arange(7, dtype=np.uint8)


def idx(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape) + values.tobytes()


def records(images: np.ndarray, labels: np.ndarray) -> bytes:
    pairs = zip(images, labels, strict=True)
    return b"".join(bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in pairs)


def packed_tar(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode=mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


# Five training and two test images; two training and two test batches of two or one records.
IDX_FILES = {
    "train-images-idx3-ubyte": idx(GREY[:5]),
    "train-labels-idx1-ubyte": idx(LABELS[:5]),
    "t10k-images-idx3-ubyte": idx(GREY[5:]),
    "t10k-labels-idx1-ubyte": idx(LABELS[5:]),
}
CIFAR_FILES = {
    "data_batch_1.bin": records(COLOUR[:2], LABELS[:2]),
    "data_batch_2.bin": records(COLOUR[2:4], LABELS[2:4]),
    "test_batch.bin": records(COLOUR[4:], LABELS[4:6]),
}
IDX_PACKED = {f"{name}.gz": gzip.compress(content) for name, content in IDX_FILES.items()}
CIFAR_PACKED = {"tiny.tar.gz": packed_tar({f"tiny-bin/{name}": content for name, content in CIFAR_FILES.items()})}


def made_up(name: str, shape: tuple[int, ...], files: dict[str, bytes], archives: dict[str, bytes]) -> ImageSet:
    def described(file: str, content: bytes) -> SetFile:
        what = "images" if "images" in file else "labels" if "labels" in file else "records"
        split = "test" if file.startswith(("t10k", "test")) else "train"
        count = 2 if what == "records" or split == "test" else 5
        return SetFile(file, what, split, count, hashlib.sha256(content).hexdigest())

    return ImageSet(
        name,
        shape,
        tuple(described(*item) for item in files.items()),
        tuple(Archive(file, hashlib.md5(content).hexdigest()) for file, content in archives.items()),  # noqa: S324
        ("http://127.0.0.1:9/nobody/",),
        "made up",
    )


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def send_header(self, keyword, value):
        if keyword == "Content-Length" and "cut" in self.path:
            value = str(int(value) + 100)  # as if the connection broke before the end
        super().send_header(keyword, value)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home, in which "tiny" and "colours" are the made-up sets, beside the real ones."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path / "home"))
    monkeypatch.setitem(SETS, "tiny", made_up("tiny", (4, 3), IDX_FILES, IDX_PACKED))
    monkeypatch.setitem(SETS, "colours", made_up("colours", (32, 32, 3), CIFAR_FILES, CIFAR_PACKED))
    return tmp_path / "home"


@pytest.fixture
def mirror(tmp_path):
    """The address of a server, and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def left_in(home: Path) -> list[str]:
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*")) if home.exists() else []


class TestFetch:
    @pytest.mark.parametrize(("name", "packed"), [("tiny", IDX_PACKED), ("colours", CIFAR_PACKED)])
    def test_brings_every_file(self, home, mirror, name, packed):
        url, served = mirror
        write(served, packed)
        assert fetch(name, mirrors=[url]) == home / name
        assert {path.name for path in (home / name).iterdir()} == {file.name for file in SETS[name].files}
        assert left_in(home)[0] == name
        images = GREY if name == "tiny" else COLOUR
        train = 5 if name == "tiny" else 4
        assert np.array_equal(load_images(name, "train"), images[:train])
        assert np.array_equal(load_images(name), images[train:])
        assert np.array_equal(load_labels(name), LABELS[train : len(images)])

    def test_asks_nobody_for_what_is_there(self, home, mirror):
        url, served = mirror
        write(home / "tiny", {**dict(list(IDX_FILES.items())[:2]), **dict(list(IDX_PACKED.items())[2:])})
        assert fetch("tiny", mirrors=["http://127.0.0.1:9"]) == home / "tiny"
        (home / "tiny" / "train-images-idx3-ubyte").write_bytes(b"damaged")
        write(served, IDX_PACKED)
        (home / "tiny" / "notes.txt").write_text("mine")
        fetch("tiny", home, mirrors=[url])
        assert np.array_equal(load_images("tiny", "train"), GREY[:5])
        assert (home / "tiny" / "notes.txt").read_text() == "mine"

    def test_tries_the_mirrors_in_turn(self, home, mirror):
        url, served = mirror
        write(served / "cut", IDX_PACKED)
        write(served / "wrong", {name: content + b"x" for name, content in IDX_PACKED.items()})
        write(served / "right", IDX_PACKED)
        fetch("tiny", mirrors=["http://127.0.0.1:9", f"{url}/none/", f"{url}/cut/", f"{url}/wrong", f"{url}/right"])
        assert np.array_equal(load_images("tiny"), GREY[5:])

    @pytest.mark.parametrize(
        ("where", "said"),
        [
            ("none", r"/none \(status 404\)"),
            ("cut", r"/cut \(\w+Error\)"),
            ("wrong", r"/wrong \(its checksum is wrong\)"),
        ],
    )
    def test_leaves_nothing_of_a_failure(self, home, mirror, where, said):
        url, served = mirror
        write(served / "cut", IDX_PACKED)
        wrong = {name: content for name, content in IDX_PACKED.items() if "train" in name}
        write(served / "wrong", {**wrong, "t10k-images-idx3-ubyte.gz": b"wrong"})
        with pytest.raises(ConnectionError, match=said) as caught:
            fetch("tiny", mirrors=[f"{url}/{where}"])
        assert str(caught.value).endswith("get it elsewhere, then: jscc-sim data import tiny PATH")
        assert "\n" not in str(caught.value)
        assert left_in(home) == []

    def test_says_that_nobody_answers(self, home):
        with pytest.raises(
            ConnectionError, match=r"tiny\.tar\.gz .* http://127\.0\.0\.1:9/nobody/ \(ConnectionError\)"
        ):
            fetch("colours")
        with pytest.raises(ConnectionError, match="from no mirrors"):
            fetch("tiny", mirrors=[])
        assert left_in(home) == []

    @pytest.mark.parametrize(
        ("packed", "said"),
        [
            (IDX_PACKED["t10k-images-idx3-ubyte.gz"][:-9], r"t10k-images-idx3-ubyte\.gz cannot be unpacked"),
            (gzip.compress(idx(GREY[:2])), "t10k-images-idx3-ubyte in .* is not that of tiny: its SHA-256 is"),
        ],
    )
    def test_archives_must_hold_what_was_published(self, home, mirror, monkeypatch, packed, said):
        url, served = mirror
        archives = {**IDX_PACKED, "t10k-images-idx3-ubyte.gz": packed}
        write(served, archives)
        monkeypatch.setitem(SETS, "tiny", made_up("tiny", (4, 3), IDX_FILES, archives))
        with pytest.raises(ValueError, match=said):
            fetch("tiny", mirrors=[url])
        assert left_in(home) == []

    def test_archives_must_hold_everything(self, home, mirror, monkeypatch):
        url, served = mirror
        archives = dict(list(IDX_PACKED.items())[:3])
        write(served, archives)
        monkeypatch.setitem(SETS, "tiny", made_up("tiny", (4, 3), IDX_FILES, archives))
        with pytest.raises(ValueError, match="has no t10k-labels-idx1-ubyte"):
            fetch("tiny", mirrors=[url])
        assert left_in(home) == []

    def test_moves_a_bar_along(self, mirror):
        class Bar:
            total, done, files = 0, 0, 0

            def update(self, done):
                self.done += done

            def reset(self):
                self.done = 0

            def close(self):
                assert self.done == self.total
                self.files += 1

        url, served = mirror
        write(served, IDX_PACKED)
        bar = Bar()
        fetch("tiny", progress=bar, mirrors=[url])
        assert bar.files == 4

    def test_true_wants_a_bar_if_there_is_one(self, mirror):
        url, served = mirror
        write(served, CIFAR_PACKED)
        assert fetch("colours", progress=True, mirrors=[url]).is_dir()

    def test_a_full_disk_is_no_mirrors_fault(self, home, monkeypatch):
        import pooch

        def full(*_args, **_options):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(pooch, "HTTPDownloader", lambda **_: full)
        with pytest.raises(OSError, match="No space left"):
            fetch("tiny")
        assert left_in(home) == []

    def test_refuses_unknown_names(self):
        for bring in (fetch, partial(import_set, path=".")):
            with pytest.raises(ValueError, match="no image set 'imagenet'; sets are mnist, fashion-mnist, cifar10"):
                bring("imagenet")


def npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, **arrays)
    return path


class TestImport:
    @pytest.mark.parametrize("where", [".", "raw"])
    @pytest.mark.parametrize("files", [IDX_FILES, IDX_PACKED])
    def test_takes_idx_from_folders(self, tmp_path, home, files, where):
        write(tmp_path / "in" / where, files)
        assert import_set("tiny", tmp_path / "in") == home / "tiny"
        assert {path.name: path.read_bytes() for path in (home / "tiny").iterdir()} == IDX_FILES

    def test_takes_records_from_folders(self, tmp_path, home):
        write(tmp_path / "in" / "tiny-bin", {**CIFAR_FILES, "data_batch_1": b"a pickle beside it is not touched"})
        import_set("colours", str(tmp_path / "in"), str(home))
        assert {path.name: path.read_bytes() for path in (home / "colours").iterdir()} == CIFAR_FILES

    @pytest.mark.parametrize(("name", "mode"), [("x.tgz", "w:gz"), ("X.TAR.GZ", "w:gz"), ("x.tar", "w")])
    def test_takes_archives(self, tmp_path, home, name, mode):
        inside = {f"deep/down/{file}": content for file, content in {**CIFAR_FILES, "readme.html": b"-"}.items()}
        (tmp_path / name).write_bytes(packed_tar(inside, mode))
        import_set("colours", tmp_path / name)
        assert {path.name: path.read_bytes() for path in (home / "colours").iterdir()} == CIFAR_FILES

    def test_takes_the_published_archive_lying_in_a_folder(self, tmp_path, home):
        import_set("colours", write(tmp_path / "in", CIFAR_PACKED))
        assert (home / "colours" / "test_batch.bin").is_file()

    def test_takes_the_arrays_of_keras(self, tmp_path, home):
        grey = npz(tmp_path / "a.npz", x_train=GREY[:5], y_train=LABELS[:5], x_test=GREY[5:], y_test=LABELS[5:])
        colour = npz(
            tmp_path / "b.npz",
            x_train=COLOUR[:4],
            y_train=LABELS[:4, None].astype(np.int64),
            x_test=COLOUR[4:],
            y_test=LABELS[4:6, None],
        )
        import_set("tiny", grey)
        import_set("colours", colour)
        assert {path.name: path.read_bytes() for path in (home / "tiny").iterdir()} == IDX_FILES
        assert {path.name: path.read_bytes() for path in (home / "colours").iterdir()} == CIFAR_FILES

    def test_the_test_images_alone_will_do_and_the_rest_may_follow(self, tmp_path, home):
        import_set("tiny", npz(tmp_path / "a.npz", x_test=GREY[5:]))
        assert left_in(home) == ["tiny", "tiny/t10k-images-idx3-ubyte"]
        with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte is missing"):
            load_images("tiny", "train")
        import_set("tiny", write(tmp_path / "in", IDX_FILES))
        assert np.array_equal(load_images("tiny", "train"), GREY[:5])

    @pytest.mark.parametrize("file", IDX_FILES)
    def test_names_the_file_that_differs(self, tmp_path, home, file):
        other = IDX_FILES[file][:-1] + b"\xff"
        for content, said in (
            (other, "its SHA-256 is"),
            (other + b"x", "does not hold"),
            (other[:-1], "does not hold"),
        ):
            for packed in ({file: content}, {f"{file}.gz": gzip.compress(content)}):
                rest = {name: good for name, good in IDX_FILES.items() if name != file}
                folder = write(tmp_path / str(len(list(tmp_path.iterdir()))), {**rest, **packed})
                with pytest.raises(ValueError, match=f"^{file} in .* is not that of tiny: .*{said}"):
                    import_set("tiny", folder)
        assert left_in(home) == []

    def test_a_set_is_kept_when_another_import_fails(self, tmp_path, home):
        import_set("tiny", write(tmp_path / "in", IDX_FILES))
        (tmp_path / "in" / "t10k-labels-idx1-ubyte").write_bytes(b"damaged")
        with pytest.raises(ValueError, match="t10k-labels"):
            import_set("tiny", tmp_path / "in")
        assert {path.name: path.read_bytes() for path in (home / "tiny").iterdir()} == IDX_FILES

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("x.zip", b"PK", r"x\.zip cannot be imported: give a folder, a \.tgz, \.tar\.gz, \.tar or an \.npz"),
            ("t10k-images-idx3-ubyte", IDX_FILES["t10k-images-idx3-ubyte"], "cannot be imported: give a folder"),
            ("x.tgz", b"text", r"x\.tgz cannot be unpacked: it is damaged or no tar"),
            ("x.tgz", CIFAR_PACKED["tiny.tar.gz"][:5000], "cannot be unpacked"),
            ("x.tar", b"", "cannot be unpacked"),
            ("x.tgz", packed_tar({"readme": b""}), r"has no test_batch\.bin, which colours needs"),
            ("x.npz", b"text", r"is not an \.npz file"),
            ("cifar-10-python.tar.gz", b"", r"cifar-10-python\.tar\.gz is a pickle"),
            ("x.pkl", pickle.dumps({}), r"x\.pkl is a pickle"),
            ("mnist.pkl.gz", b"", r"mnist\.pkl\.gz is a pickle"),
            ("test_batch", pickle.dumps({}), "test_batch is a pickle"),
            ("x.tgz", packed_tar({"cifar-10-batches-py/data_batch_1": b""}), r"data_batch_1 in .*x\.tgz is a pickle"),
        ],
    )
    def test_refuses_other_files(self, tmp_path, home, name, content, said):
        with pytest.raises(ValueError, match=said):
            import_set("colours", write(tmp_path / "in", {name: content}) / name)
        assert left_in(home) == []

    def test_refuses_folders_without_the_test_images(self, tmp_path, home):
        with pytest.raises(FileNotFoundError, match=r"no file or folder .*nowhere"):
            import_set("tiny", tmp_path / "nowhere")
        folder = write(tmp_path / "in", {"train-images-idx3-ubyte": IDX_FILES["train-images-idx3-ubyte"]})
        with pytest.raises(ValueError, match="has no t10k-images-idx3-ubyte, which tiny needs"):
            import_set("tiny", folder)
        with pytest.raises(ValueError, match=r"data_batch_1 in .* is a pickle"):
            import_set("colours", write(tmp_path / "py", {"data_batch_1": b""}))
        assert left_in(home) == []

    @pytest.mark.parametrize(
        ("name", "arrays", "said"),
        [
            ("tiny", {"x": GREY}, "has no x_test, the test images of tiny; it has x"),
            ("tiny", {"x_test": GREY}, r"x_test in .* is uint8 \(7, 4, 3\), it should be uint8 \(2, 4, 3\)"),
            ("tiny", {"x_test": GREY[5:] / 255}, "x_test in .* is float64"),
            ("tiny", {"x_test": GREY[5:], "y_test": LABELS[5:] / 1}, "y_test in .* is float64"),
            ("tiny", {"x_test": GREY[5:].astype(object)}, "x_test in .* cannot be read: Object arrays"),
            ("tiny", {"x_test": np.zeros(100_000)}, "x_test in .* cannot be read: it is larger than the set"),
            ("tiny", {"x_test": GREY[:2]}, "t10k-images-idx3-ubyte in .* is not that of tiny"),
            ("colours", {"x_test": COLOUR[4:]}, "has no y_test: colours is kept as images with their labels"),
        ],
    )
    def test_refuses_other_arrays(self, tmp_path, home, name, arrays, said):
        with pytest.raises(ValueError, match=said):
            import_set(name, npz(tmp_path / "x.npz", **arrays))
        assert left_in(home) == []

    def test_refuses_damaged_arrays(self, tmp_path):
        path = npz(tmp_path / "x.npz", x_test=GREY[5:])
        raw = bytearray(path.read_bytes())
        raw[60:100] = bytes(40)
        path.write_bytes(raw)
        with pytest.raises(ValueError, match=r"x_test in .* cannot be read"):
            import_set("tiny", path)

    def test_runs_no_code_of_a_pickle(self, tmp_path):
        class Harm:
            def __reduce__(self):
                return (os.mkdir, (str(tmp_path / "harm"),))

        harm = np.empty(2, object)
        harm[0] = Harm()
        with pytest.raises(ValueError, match=r"x_test in .* cannot be read"):
            import_set("tiny", npz(tmp_path / "x.npz", x_test=harm))
        assert not (tmp_path / "harm").exists()

    def test_an_archive_does_not_say_where_to_write(self, tmp_path, home):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as archive:
            for name in CIFAR_FILES:
                link = tarfile.TarInfo(f"links/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(link)
            for name, content in CIFAR_FILES.items():
                member = tarfile.TarInfo(f"../../{name}" if "test" in name else f"{tmp_path}/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        (tmp_path / "x.tar").write_bytes(raw.getvalue())
        import_set("colours", tmp_path / "x.tar")
        assert {path.name: path.read_bytes() for path in (home / "colours").iterdir()} == CIFAR_FILES
        assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "x.tar"]

    def test_unpacks_no_more_than_the_set_holds(self, tmp_path):
        bomb = gzip.compress(bytes(50_000_000))
        for folder in (
            write(tmp_path / "gz", {"t10k-images-idx3-ubyte.gz": bomb}),
            write(tmp_path / "tar", {"x.tar": packed_tar({"t10k-images-idx3-ubyte.gz": bomb}, "w")}) / "x.tar",
        ):
            with pytest.raises(ValueError, match="does not hold 40 bytes"):
                import_set("tiny", folder)


class TestDescribe:
    def test_says_what_is_there(self, tmp_path, home):
        states = {state.name: state for state in describe()}
        assert states.keys() == SETS.keys()
        assert all(state.splits == () == state.wrong for state in states.values())
        assert (states["mnist"].train, states["cifar10"].train, states["cifar10"].test) == (60_000, 50_000, 10_000)
        import_set("colours", write(tmp_path / "in", CIFAR_FILES))
        write(home / "tiny", {"t10k-images-idx3-ubyte.gz": IDX_PACKED["t10k-images-idx3-ubyte.gz"]})
        write(home / "tiny", {"train-images-idx3-ubyte": b"damaged", "train-labels-idx1-ubyte.gz": b"damaged"})
        states = {state.name: state for state in describe()}
        assert states["colours"].splits == ("train", "test")
        assert states["tiny"].splits == ("test",)
        assert states["tiny"].wrong == ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
        assert states["tiny"].folder == home / "tiny"

    def test_real_sets_are_whole_and_published(self, monkeypatch):
        monkeypatch.delenv("JSCC_SIM_DATA")
        real = [state for state in describe() if state.splits or state.wrong]
        if not real:
            pytest.skip("no real set under ~/.cache/jscc-sim")
        assert not any(state.wrong for state in real)

    def test_every_set_says_its_licence_and_where_it_is_published(self):
        for name, images in SETS.items():
            assert images.name == name
            assert images.licence
            assert all(mirror.endswith("/") for mirror in images.mirrors)
            assert images.files_of("test")
            assert all(len(file.sha256) == 64 for file in images.files)
            assert all(len(archive.md5) == 32 for archive in images.archives)

    def test_home_is_given_or_set_or_usual(self, monkeypatch, tmp_path):
        assert data_home("~/x") == Path.home() / "x"
        assert data_home() == tmp_path / "home"
        monkeypatch.setenv("JSCC_SIM_DATA", "")
        assert data_home() == Path.home() / ".cache" / "jscc-sim"
