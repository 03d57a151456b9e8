"""Visitor: a session of the Lab without a browser, speaking its protocol: it presses buttons and turns knobs."""

from __future__ import annotations

import time
from urllib.parse import parse_qs

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect


class Visitor:
    """One open page. `query` is what stands in the address; everything the script sends is read, nothing is drawn."""

    def __init__(self, host: str, port: int, query: str = ""):
        address = f"ws://{host}:{port}/_stcore/stream"
        self.socket: ClientConnection = connect(address, subprotocols=[Subprotocol("streamlit")], max_size=None)
        self.query = query
        self.buttons: dict[str, str] = {}  # label -> the widget's id
        self.sliders: dict[str, tuple[str, list[str]]] = {}  # label -> the widget's id, its stops as they are shown
        self._states: dict[str, WidgetState] = {}
        self.run()

    @property
    def job(self) -> str:
        """The job on the page, as its address says."""
        return parse_qs(self.query).get("run", [""])[0]

    def press(self, label: str) -> float:
        """Press a button; seconds until the page is whole again."""
        return self.run(WidgetState(id=self.buttons[label], trigger_value=True))

    def turn(self, label: str, position: int) -> float:
        """Move a slider to one of its stops; seconds until the page is whole again."""
        name, stops = self.sliders[label]
        state = WidgetState(id=name)
        state.string_array_value.data.append(stops[position])
        self._states[state.id] = state
        return self.run()

    def run(self, pressed: WidgetState | None = None) -> float:
        """Run the page's script; seconds until it has finished."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.widget_states.widgets.extend(self._states.values())
        if pressed is not None:
            message.rerun_script.widget_states.widgets.append(pressed)
        started = time.perf_counter()
        self.socket.send(message.SerializeToString())
        while True:
            heard = ForwardMsg()
            heard.ParseFromString(self.socket.recv(timeout=30))
            if self._hear(heard):
                return time.perf_counter() - started

    def _hear(self, heard: ForwardMsg) -> bool:
        """Learn what is on the page; whether the script has finished."""
        kind = heard.WhichOneof("type")
        if kind == "page_info_changed":
            self.query = heard.page_info_changed.query_string
        if kind == "delta" and heard.delta.WhichOneof("type") == "new_element":
            element = heard.delta.new_element
            if element.WhichOneof("type") == "button":
                self.buttons[element.button.label] = element.button.id
            elif element.WhichOneof("type") == "slider":
                self.sliders[element.slider.label] = element.slider.id, list(element.slider.options)
            elif element.WhichOneof("type") == "exception":
                raise AssertionError(element.exception.message)
        return kind == "script_finished"

    def close(self) -> None:
        self.socket.close()
