"""Pure data: frozen Structs for names, quantities, TrafficSplits, ServiceProfiles and Services.

JSON comes in and goes out here; no I/O, no decisions, no clock.
"""
