"""The mark goes to whoever asks what this server is, as a picture inside the message, and to nobody else again."""

from base64 import b64decode

import pytest

from cliniko_mcp.house_look import ICON
from cliniko_mcp.protocol.server import icons
from tests.conftest import in_process
from tests.docs.mark_pictures import PICTURES

SERVER_INFO = "io.modelcontextprotocol/serverInfo"


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_host_gets_the_mark_once_and_no_list_or_answer_repeats_it(mode: str) -> None:
    async with in_process(mode=mode) as assistant:
        assert assistant.client.server_info is not None
        shown = assistant.client.server_info.icons or []
        assert [icon.mime_type for icon in shown] == ["image/svg+xml", "image/png"]
        results = [await assistant.client.list_tools(), await assistant.client.call_tool("clinic_overview", {})]
    for result in results:
        told = (result.meta or {}).get(SERVER_INFO, {"name": "cliniko-mcp"})
        assert told["name"] == "cliniko-mcp" and "icons" not in told


def test_no_icon_has_to_be_fetched_from_anywhere() -> None:
    svg, png = icons()
    assert svg.src == ICON and "http" not in ICON.replace("http://www.w3.org/2000/svg", "")
    assert b64decode(png.src.removeprefix("data:image/png;base64,")) == PICTURES[64].read_bytes()


@pytest.mark.parametrize("width", PICTURES)
def test_each_picture_of_the_mark_is_as_large_as_it_says(width: int) -> None:
    head = PICTURES[width].read_bytes()[:24]
    assert head.startswith(b"\x89PNG") and (head[16:20], head[20:24]) == (width.to_bytes(4), width.to_bytes(4))
