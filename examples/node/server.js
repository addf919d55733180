'use strict';

const express = require('express');

const app = express();
app.get('/', (_request, response) => {
  response.send(`<!doctype html>\n<title>argosy</title>\n<h1>It works: express on node ${process.version}.</h1>\n`);
});
const server = app.listen(8080, () => console.log('listening on port 8080'));
// Process 1 of a container gets no signal that it has no handler for.
process.on('SIGTERM', () => server.close(() => process.exit(0)));
