"""The Upscaling page: layout only."""

from playground.lab.applications import Upscaling
from playground.lab.session import Visit
from playground.server import workbench

Upscaling(Visit(workbench())).draw()
