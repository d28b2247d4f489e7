"""The library: photos are taken in, indexed, shown and looked after."""
