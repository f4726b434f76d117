"""The network: a timm backbone, a head of one logit, its losses and its augmentation."""
