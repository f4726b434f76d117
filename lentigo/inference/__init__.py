"""Load a trained model and predict images, lesions and tables with it."""
