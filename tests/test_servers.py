"""The test servers themselves: a picture on the display, a note through JACK, a tone through PulseAudio."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np

from tests.servers import JackServer, PulseServer, XDisplay

PAINT = """
import sys
from PyQt6.QtGui import QColor, QPainter, QSurfaceFormat
from PyQt6.QtOpenGL import QOpenGLWindow
from PyQt6.QtWidgets import QApplication
from PyQt6.QtCore import QTimer, Qt

class Window(QOpenGLWindow):
    def paintGL(self):
        painter = QPainter(self)
        painter.fillRect(0, 0, self.width(), self.height(), QColor(10, 200, 30))
        painter.fillRect(0, 0, self.width() // 2, self.height(), QColor(250, 0, 90))
        painter.end()

application = QApplication(sys.argv)
window = Window()
window.setGeometry(application.primaryScreen().geometry())
window.setFlags(Qt.WindowType.FramelessWindowHint)
window.showFullScreen()
QTimer.singleShot(15000, application.quit)
application.exec()
"""

SEND_NOTE = """
import mido, time
received = []
listener = mido.open_input("pads", virtual=True, callback=received.append)
name = [name for name in mido.get_output_names() if "pads" in name][0]
sender = mido.open_output(name)
end = time.monotonic() + 5
while not received and time.monotonic() < end:
    sender.send(mido.Message("note_on", note=36, velocity=99))
    time.sleep(0.05)
print(received[0])
"""


def test_grab_shows_what_an_opengl_window_paints(display: XDisplay) -> None:
    window = subprocess.Popen([sys.executable, "-c", PAINT], env=dict(os.environ, **display.env))
    try:
        end = time.monotonic() + 15
        picture = display.grab()
        while picture[10, 10].tolist() != [250, 0, 90] and time.monotonic() < end:
            time.sleep(0.1)
            picture = display.grab()
    finally:
        window.kill()
        window.wait()
    assert picture.shape == (720, 1280, 3)
    assert picture[10, 10].tolist() == [250, 0, 90]
    assert picture[-1, -1].tolist() == [10, 200, 30]


def test_a_note_passes_through_jack(jack: JackServer) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", SEND_NOTE], env=dict(os.environ, **jack.env), capture_output=True, text=True, timeout=30
    )
    assert "note_on channel=0 note=36 velocity=99" in answer.stdout, answer.stderr
    assert any("system:" in port for port in jack.ports())


def test_a_tone_played_into_the_sink_is_heard_at_its_monitor(pulse: PulseServer) -> None:
    samples = (np.sin(np.arange(48000 * 4) * 0.05) * 20000).astype("<i2")  # about 380 Hz
    form = ["--raw", "--format=s16le", "--rate=48000", "--channels=1"]
    env = dict(os.environ, **pulse.env)
    recorder = subprocess.Popen(["parec", *form, "--latency-msec=20"], env=env, stdout=subprocess.PIPE)
    player = subprocess.Popen(["pacat", *form, "--latency-msec=20"], env=env, stdin=subprocess.PIPE)
    try:
        player.stdin.write(samples.tobytes())
        player.stdin.close()
        heard = np.frombuffer(recorder.stdout.read(48000 * 4), "<i2").astype(float)  # two seconds
    finally:
        for process in (recorder, player):
            process.kill()
            process.wait()
        recorder.stdout.close()
    assert np.abs(heard).max() > 10000
