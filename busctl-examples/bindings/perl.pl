#!/usr/bin/perl
# perl.pl NAME: lists the machines, starts NAME, waits for the signal that it runs, and reads a line of its console.
use strict;
use warnings;
use Net::DBus;
use Net::DBus::Reactor;
my $reactor = Net::DBus::Reactor->main;
my $bus = Net::DBus->new($ENV{VIRTBUS_BUS} // 'unix:path=/run/dbus/system_bus_socket');
my $service = $bus->get_service('org.virtbus1');
my $qemu = $service->get_object('/org/libvirt/QEMU');
print join(' ', @{ $qemu->as_interface('org.virtbus1.Connect')->ListDomains({}) }), "\n";
my $path = $qemu->as_interface('org.libvirt.Connect')->DomainLookupByName($ARGV[0]);
my $machine = $service->get_object($path, 'org.virtbus1.Domain');
$machine->connect_to_signal('Lifecycle', sub { $reactor->shutdown if $_[0] eq 'started' });
$machine->Start({});
$reactor->run;
print "started\n";
open(my $console, '<&=', $machine->OpenConsole('', 0)) or die $!;
print scalar <$console>;
