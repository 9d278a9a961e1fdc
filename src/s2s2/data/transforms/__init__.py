"""Changes of images before a network sees them: geometry, light, acquisition."""
