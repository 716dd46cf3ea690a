// What is compiled of a target that is there for its precompiled header.
