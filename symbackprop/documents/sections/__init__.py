"""The sections of a derivation document, each from the derivation to blocks of the tree."""
