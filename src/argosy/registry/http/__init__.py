"""Requests and answers on aiohttp's parser, with little in between."""
