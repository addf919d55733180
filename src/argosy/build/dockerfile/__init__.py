"""The Dockerfile grammar: text in, values of `ast` out. Pure. https://docs.docker.com/reference/dockerfile/"""
