#!/usr/bin/node
// node.mjs NAME: lists the machines, starts NAME, waits for the signal that it runs, and reads a line of its console.
// `npm install dbus-next usocket`; the second one passes descriptors.
import { createReadStream } from 'node:fs';
import dbus from 'dbus-next';
const bus = dbus.sessionBus({ busAddress: process.env.VIRTBUS_BUS ?? 'unix:path=/run/dbus/system_bus_socket', negotiateUnixFd: true });
const qemu = await bus.getProxyObject('org.virtbus1', '/org/libvirt/QEMU');
console.log(await qemu.getInterface('org.virtbus1.Connect').ListDomains({}));
const path = await qemu.getInterface('org.libvirt.Connect').DomainLookupByName(process.argv[2]);
const machine = (await bus.getProxyObject('org.virtbus1', path)).getInterface('org.virtbus1.Domain');
const started = new Promise(resolve => machine.on('Lifecycle', event => event === 'started' && resolve(event)));
await machine.Start({});
console.log(await started);
const fd = await machine.OpenConsole('', 0);
createReadStream(null, { fd }).once('data', data => { console.log(data.toString()); process.exit(); });
