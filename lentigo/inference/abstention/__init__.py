"""When a model does not answer: how strange an image is to it, the limit, and the words."""
