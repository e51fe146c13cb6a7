from calico_lab.local.kubelet import atomic_writer
from calico_lab.local.kubelet.atomic_writer import FileContent


def versions(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith("..20")]


def test_files_are_links_through_data(tmp_path):
    atomic_writer.write(tmp_path, {"cds.json": FileContent(b"1")})
    assert (tmp_path / "cds.json").read_bytes() == b"1"
    assert str((tmp_path / "cds.json").readlink()) == "..data/cds.json"
    assert [(tmp_path / "..data").readlink().name] == versions(tmp_path)


def test_change_replaces_the_folder_behind_data(tmp_path):
    atomic_writer.write(tmp_path, {"a": FileContent(b"1")})
    before = versions(tmp_path)
    assert atomic_writer.write(tmp_path, {"a": FileContent(b"2")})
    assert (tmp_path / "a").read_bytes() == b"2"
    assert versions(tmp_path) != before
    assert len(versions(tmp_path)) == 1


def test_no_change_no_write(tmp_path):
    atomic_writer.write(tmp_path, {"a": FileContent(b"1"), "b/c": FileContent(b"2")})
    before = versions(tmp_path)
    assert not atomic_writer.write(tmp_path, {"a": FileContent(b"1"), "b/c": FileContent(b"2")})
    assert versions(tmp_path) == before


def test_file_that_is_gone_goes(tmp_path):
    atomic_writer.write(tmp_path, {"a": FileContent(b"1"), "b": FileContent(b"2")})
    atomic_writer.write(tmp_path, {"b": FileContent(b"2")})
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "b").read_bytes() == b"2"


def test_nested_paths_and_modes(tmp_path):
    atomic_writer.write(tmp_path, {"keys/private.pem": FileContent(b"x", 0o400)})
    assert (tmp_path / "keys/private.pem").stat().st_mode & 0o777 == 0o400
    assert str((tmp_path / "keys").readlink()) == "..data/keys"


def test_new_mode_alone_is_a_change(tmp_path):
    atomic_writer.write(tmp_path, {"a": FileContent(b"x", 0o644)})
    assert atomic_writer.write(tmp_path, {"a": FileContent(b"x", 0o600)})


def test_nothing_to_show_is_an_empty_folder(tmp_path):
    assert atomic_writer.write(tmp_path, {})
    assert [path for path in tmp_path.iterdir() if not path.name.startswith("..")] == []


def test_interrupted_write_is_made_good(tmp_path):
    (tmp_path / "..data_tmp").symlink_to("..2020_nowhere")
    atomic_writer.write(tmp_path, {"a": FileContent(b"1")})
    assert (tmp_path / "a").read_bytes() == b"1"
