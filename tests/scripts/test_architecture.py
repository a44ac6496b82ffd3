"""docs/architecture.md and its drawing say what the code is."""

import configparser
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import grimp
import pytest

from geth_network.settings import Settings as ChainSettings
from iot_cloud.settings import Settings as CloudSettings
from proxy.settings import Settings as GatewaySettings
from webapp.settings import Settings as WebSettings

PAGE = Path("docs/architecture.md")
DRAWING = Path("docs/pictures/architecture.svg")
FOLDERS = ("contracts", "geth_network", "proxy", "iot_cloud", "iot_client", "webapp")


def said_layers() -> dict[str, tuple[set[str], str]]:
    """Return the table of layers: by folder what it imports of ours, and its command."""
    table = PAGE.read_text().split("<!-- layers -->")[1].split("<!-- end -->")[0]
    rows = re.findall(r"^\| [^|]+ \| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)
    return {folder: (set(re.findall(r"`(\w+)`", imports)), runs.strip(" `")) for folder, imports, runs in rows}


def commands() -> dict[str, str]:
    """Return the commands that setup.cfg installs, by the folder that they run."""
    config = configparser.ConfigParser()
    config.read("setup.cfg")
    lines = config["options.entry_points"]["console_scripts"].split("\n")
    pairs = [re.split(r" = |\.", line)[:2] for line in lines if line]
    return {folder: name for name, folder in pairs}


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        ("monitor.py", {"geth_network", "iot_cloud", "iot_client"}),
        ("run_folder.py", {"geth_network", "proxy", "iot_cloud", "webapp"}),
        ("signals.py", {"proxy", "iot_cloud", "iot_client", "webapp"}),
    ],
)
def test_what_folders_have_alike_is_alike_to_the_letter(name: str, folders: set[str]) -> None:
    """Folders that may not import one another have copies (docs/adr/0003); what is mended in one is mended in all."""
    texts = {folder: Path(folder, name).read_text().replace(f"{folder}.", "FOLDER.") for folder in folders}
    assert len(set(texts.values())) == 1, sorted(texts)


@pytest.mark.row("I1")
def test_the_table_of_layers_is_the_import_graph() -> None:
    """Each folder is one layer and imports of ours exactly what the table says."""
    graph = grimp.build_graph(*FOLDERS)
    layers = said_layers()
    assert layers.keys() == set(FOLDERS)
    for folder in FOLDERS:
        modules = graph.find_descendants(folder) | {folder}
        imported = {name.split(".")[0] for m in modules for name in graph.find_modules_directly_imported_by(m)}
        assert imported - {folder} == layers[folder][0], folder


@pytest.mark.row("I1")
def test_every_layer_with_a_process_names_its_command() -> None:
    """What setup.cfg installs stands in the table, and nothing else does."""
    said = {folder: runs for folder, (_, runs) in said_layers().items() if runs.startswith("lading-")}
    assert said == commands()


def test_the_drawing_names_every_command_and_its_ports() -> None:
    """No command is missing in the drawing, and each port in it is a default of the settings."""
    words = [text.text or "" for text in ET.parse(DRAWING).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
    assert {word for word in words if word.startswith("lading-")} == set(commands().values())
    defaults = {
        settings.model_fields[name].default
        for settings, names in (
            (ChainSettings, ("rpc_port", "peer_port")),
            (GatewaySettings, ("devices_port", "wallets_port")),
            (CloudSettings, ("mqtt_port", "http_port")),
            (WebSettings, ("port",)),
        )
        for name in names
    }
    assert {int(port) for word in words for port in re.findall(r"\b\d{4,5}\b", word)} == defaults
