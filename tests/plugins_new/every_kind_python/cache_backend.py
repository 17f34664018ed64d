"""Offers what the projects of every kind offer, and the probe."""

import jackfield
from direction_extractor import MedianDifference, SampleStates
from model import Ask, Parrot
from probe import Echo, Fail, Give, Probe, Surroundings, Take
from routing_policy import Greedy, SlotMachine
from shelf import Shelf

Meta, Extension, CacheBackend = jackfield.export_plugin(
    Parrot,
    Ask,
    Shelf,
    Greedy,
    SlotMachine,
    MedianDifference,
    SampleStates,
    Echo,
    Probe,
    Give,
    Take,
    Fail,
    Surroundings,
    version="0.1.0",
)
