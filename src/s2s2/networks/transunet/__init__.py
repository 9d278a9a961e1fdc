"""Network `transunet`: ResNet-50 and a vision transformer as the encoder, a decoder with skips."""
