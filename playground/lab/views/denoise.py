"""The Denoising page: layout only."""

from playground.lab.applications import Denoising
from playground.lab.session import Visit
from playground.server import workbench

Denoising(Visit(workbench())).draw()
