"""The network and its files: backbone, head, losses, augmentation, model folder."""
