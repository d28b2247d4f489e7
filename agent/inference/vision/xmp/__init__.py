"""XMP: packets found in photos, regions read from them, and regions edited without changing another byte."""
