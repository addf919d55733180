// What test_dockerode.py runs in node: each function is one trial, called by its name; all containers are named after the mark.
'use strict';
const assert = require('node:assert/strict');
const { PassThrough } = require('node:stream');
const { once } = require('node:events');
const { text } = require('node:stream/consumers');
const Docker = require('dockerode');
const tar = require('tar-stream');

const docker = new Docker({ socketPath: process.env.DOCKER_HOST.replace('unix://', '') });
const [trial, mark] = process.argv.slice(2);
const IMAGE = 'busybox:latest';

async function started(suffix, options) {
  const container = await docker.createContainer({ name: `${mark}-${suffix}`, Image: IMAGE, ...options });
  await container.start();
  return container;
}

// Collects both streams of a multiplexed one, until it ends.
async function parted(stream) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, out, err);
  const both = Promise.all([text(out), text(err)]);
  if (!stream.readableEnded) await once(stream, 'end');
  out.end();
  err.end();
  return both;
}

function packed(files) {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(files)) pack.entry({ name }, content);
  pack.finalize();
  return pack;
}

const progress = (stream) =>
  new Promise((resolve, reject) => docker.modem.followProgress(stream, (error, lines) => (error ? reject(error) : resolve(lines))));

const trials = {
  async run() {
    const out = new PassThrough();
    const said = text(out);
    const [result, container] = await docker.run(IMAGE, ['sh', '-c', 'echo from node; exit 3'], out, { name: `${mark}-run`, Tty: true });
    // Answers come on two connections, and node may look at that of the wait first: the output has its own end.
    assert.equal(result.StatusCode, 3);
    assert.equal(await said, 'from node\r\n');
    const listed = await docker.listContainers({ all: true, filters: { name: [`${mark}-run`], status: ['exited'] } });
    assert.deepEqual(listed.map((one) => one.Id), [container.id]);
    assert.equal((await container.inspect()).State.ExitCode, 3);
    await container.remove();
    await assert.rejects(container.inspect(), (error) => error.statusCode === 404 && /No such container/.test(error.message));
  },

  // The end of our input reaches the program, and its answer still reaches us.
  async attach() {
    const container = await docker.createContainer({
      name: `${mark}-attach`, Image: IMAGE, OpenStdin: true, StdinOnce: true, AttachStdin: true,
      Cmd: ['sh', '-c', 'wc -c; echo done >&2'],
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    await container.start();
    stream.end('x'.repeat(300000));
    assert.deepEqual(await parted(stream), ['300000\n', 'done\n']);
    assert.equal((await container.wait()).StatusCode, 0);
  },

  async exec() {
    const container = await started('exec', { Cmd: ['sleep', '1000'] });
    const exec = await container.exec({
      Cmd: ['sh', '-c', 'cat; echo $WORD >&2; exit 4'], Env: ['WORD=late'], AttachStdin: true, AttachStdout: true, AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    stream.end('half closed');
    assert.deepEqual(await parted(stream), ['half closed', 'late\n']);
    const { ExitCode, Running } = await exec.inspect();
    assert.deepEqual({ ExitCode, Running }, { ExitCode: 4, Running: false });
    const plain = await container.exec({ Cmd: ['echo', 'plain'], AttachStdout: true });
    assert.deepEqual(await parted(await plain.start({})), ['plain\n', '']);
    assert.deepEqual((await container.top()).Processes.length, 1);
  },

  async logs() {
    const container = await started('logs', { Cmd: ['sh', '-c', 'echo one; echo two >&2; until test -e /go; do sleep 0.1; done; echo three'] });
    const stream = await container.logs({ follow: true, stdout: true, stderr: true });
    const all = parted(stream);
    await (await container.exec({ Cmd: ['touch', '/go'] })).start({ Detach: true });
    assert.deepEqual(await all, ['one\nthree\n', 'two\n']);
    const tail = await container.logs({ stdout: true, tail: 1 });
    assert.equal(tail.subarray(8).toString(), 'three\n');
  },

  async events() {
    const stream = await docker.getEvents({ filters: { container: [`${mark}-events`] } });
    const seen = [];
    let rest = '';
    const died = new Promise((resolve) =>
      stream.on('data', (piece) => {
        const lines = (rest + piece).split('\n');
        rest = lines.pop();
        for (const line of lines.filter(Boolean)) seen.push(JSON.parse(line).Action);
        if (seen.includes('destroy')) resolve();
      }));
    const container = await started('events', { Cmd: ['true'] });
    await container.wait();
    await container.remove();
    await died;
    stream.destroy();
    assert.deepEqual(seen.filter((action) => ['create', 'start', 'die', 'destroy'].includes(action)), ['create', 'start', 'die', 'destroy']);
  },

  async images() {
    const context = packed({ Dockerfile: `FROM ${IMAGE}\nARG WORD\nCOPY note /note\nRUN echo $WORD >>/note\nLABEL by=node\n`, note: 'first\n' });
    const lines = await progress(await docker.buildImage(context, { t: `${mark}:built`, buildargs: { WORD: 'second' } }));
    assert.match(lines.map((line) => line.stream || '').join(''), /Successfully tagged/);
    const image = docker.getImage(`${mark}:built`);
    assert.equal((await image.inspect()).Config.Labels.by, 'node');
    assert.ok((await image.history()).length >= 3);
    await image.tag({ repo: mark, tag: 'other' });
    assert.equal((await docker.listImages({ filters: { reference: [`${mark}:other`] } })).length, 1);
    const [said] = await parted(await (await docker.createContainer({ name: `${mark}-built`, Image: `${mark}:built`, Cmd: ['cat', '/note'] })
      .then(async (made) => { const s = await made.attach({ stream: true, stdout: true }); await made.start(); return s; })));
    assert.equal(said, 'first\nsecond\n');
    await docker.getContainer(`${mark}-built`).remove({ force: true });
    await docker.getImage(`${mark}:other`).remove();
    await image.remove();
    await assert.rejects(image.inspect(), { statusCode: 404 });
    const failing = await docker.buildImage(packed({ Dockerfile: `FROM ${IMAGE}\nRUN exit 7\n` }), {});
    assert.match((await progress(failing)).at(-1).error, /returned a non-zero code: 7/);
  },

  async stats() {
    const container = await started('stats', { Cmd: ['sleep', '1000'] });
    const now = await container.stats({ stream: false });
    assert.ok(now.memory_stats.usage > 0 && now.pids_stats.current >= 1);
    const stream = await container.stats({ stream: true });
    const [piece] = await once(stream, 'data');
    assert.equal(JSON.parse(piece.toString().split('\n')[0]).id, container.id);
    stream.destroy();
  },

  async network() {
    const network = await docker.createNetwork({ Name: `${mark}-net`, Labels: { by: 'node' } });
    const container = await started('net', { Cmd: ['sleep', '1000'] });
    await network.connect({ Container: container.id, EndpointConfig: { Aliases: ['harbour'] } });
    assert.ok((await network.inspect()).Containers[container.id].IPv4Address);
    assert.ok((await container.inspect()).NetworkSettings.Networks[`${mark}-net`].Aliases.includes('harbour'));
    await assert.rejects(network.remove(), { statusCode: 403 });
    await network.disconnect({ Container: container.id });
    await network.remove();
    await assert.rejects(network.inspect(), { statusCode: 404 });
  },

  async volume() {
    await docker.createVolume({ Name: `${mark}-vol`, Labels: { by: 'node' } });
    const container = await started('vol', { Cmd: ['sleep', '1000'], HostConfig: { Binds: [`${mark}-vol:/data`] } });
    const volume = docker.getVolume(`${mark}-vol`);
    await assert.rejects(volume.remove(), { statusCode: 409 });
    assert.deepEqual((await docker.listVolumes({ filters: { label: ['by=node'], name: [mark] } })).Volumes.map((one) => one.Name), [`${mark}-vol`]);
    await container.remove({ force: true });
    await volume.remove();
    await assert.rejects(volume.inspect(), { statusCode: 404 });
  },

  async archive() {
    const container = await docker.createContainer({ name: `${mark}-tar`, Image: IMAGE });
    await container.putArchive(packed({ 'hold/cargo': 'spices' }), { path: '/tmp' });
    const stat = JSON.parse(Buffer.from((await container.infoArchive({ path: '/tmp/hold/cargo' })).headers?.['x-docker-container-path-stat'] || 'e30=', 'base64'));
    const unpacked = tar.extract();
    const names = {};
    unpacked.on('entry', async (header, stream, next) => { names[header.name] = await text(stream); next(); });
    (await container.getArchive({ path: '/tmp/hold' })).pipe(unpacked);
    await once(unpacked, 'finish');
    assert.deepEqual(names, { 'hold/': '', 'hold/cargo': 'spices' });
    assert.ok(stat.size === undefined || stat.size === 6);
    await assert.rejects(container.getArchive({ path: '/nowhere' }), { statusCode: 404 });
    await assert.rejects(container.putArchive(packed({ a: 'b' }), { path: '/nowhere' }), { statusCode: 404 });
  },

  async errors() {
    await assert.rejects(docker.createContainer({ Image: 'nosuch/image:1' }), { statusCode: 404 });
    const container = await started('errors', { Cmd: ['sleep', '1000'] });
    await assert.rejects(started('errors', {}), { statusCode: 409 });
    await assert.rejects(container.remove(), { statusCode: 409 });
    await assert.rejects(container.start(), { statusCode: 304 });
    await assert.rejects(container.kill({ signal: 'SIGNOTHING' }), { statusCode: 400 });
    await assert.rejects(docker.createContainer({ Image: IMAGE, HostConfig: { Memory: 1 } }), { statusCode: 400 });
    await assert.rejects((await docker.createContainer({ name: `${mark}-bad`, Image: IMAGE, Cmd: ['/nosuch'] })).start(), { statusCode: 400 });
    await assert.rejects(docker.getNetwork('bridge').remove(), { statusCode: 403 });
    await container.kill();
    await container.wait();
    await assert.rejects(container.kill(), { statusCode: 409 });
    assert.equal((await docker.ping()).toString(), 'OK');
    assert.ok((await docker.version()).ApiVersion && (await docker.info()).ID);
    const usage = await docker.df();
    assert.ok(usage.Images || usage.ImageUsage);  // until API 1.52, and since
  },
};

trials[trial]().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
