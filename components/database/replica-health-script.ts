/** The program that answers a gateway's checks of a replica: an HTTP server of a few lines, for the Perl of PostgreSQL's image. Pure. */
import { replicaHealthPorts } from "../../topology/services/replica-health.ts";

/** Where a gateway asks. @param lagSeconds how far behind a replica may be that is read */
export const replicaPath = (lagSeconds: number): string => `/replica?lag=${lagSeconds}`;

/**
 * How far a replica is behind, in seconds; `none` when it does not receive from its primary: its lag is then unknown. One that has
 * replayed all that its primary has sent is not behind, however old the last change is.
 */
const question = `SELECT CASE
  WHEN NOT pg_is_in_recovery() THEN '0'
  WHEN NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') THEN 'none'
  WHEN pg_last_wal_replay_lsn() >= (SELECT latest_end_lsn FROM pg_stat_wal_receiver) THEN '0'
  ELSE round(extract(epoch FROM now() - pg_last_xact_replay_timestamp()))::text END`;

/**
 * It asks its replica once a second over one connection, and answers each request from the last answer: 200 when the replica is at
 * most `lag` seconds behind, otherwise 503. An answer that is older than five seconds counts as none.
 */
export const replicaHealthScript = `use strict;
use warnings;
use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use IPC::Open2;
use POSIX ":sys_wait_h";

my $query = q{${question.replaceAll("\n", " ")};};
my $server = IO::Socket::INET->new(LocalPort => ${replicaHealthPorts.http}, Listen => 64, ReuseAddr => 1) or die "$!";
my $select = IO::Select->new($server);
my ($from, $to, $pid, $asked, $at, $lag, $text) = (undef, undef, undef, 0, 0, "none", "");
$SIG{PIPE} = "IGNORE";
$SIG{TERM} = sub { kill "TERM", $pid if $pid; exit 0 };

sub stop {
  return unless $pid;
  $select->remove($from);
  close $from;
  close $to;
  kill "KILL", $pid;
  waitpid $pid, 0;
  ($pid, $asked, $text) = (undef, 0, "");
}

sub answer {
  my ($client) = @_;
  my $request = "";
  $client->sysread($request, 2048) if IO::Select->new($client)->can_read(1);
  my $known = time - $at <= 5 ? $lag : "none";
  my $status = "404 Not Found";
  if ($request =~ m{^GET /health }) { $status = "200 OK" }
  if ($request =~ m{^(?:GET|OPTIONS|HEAD) /replica\\?lag=(\\d+) }) {
    $status = $known ne "none" && $known <= $1 ? "200 OK" : "503 Service Unavailable";
  }
  $client->syswrite("HTTP/1.0 $status\\r\\nContent-Type: text/plain\\r\\nConnection: close\\r\\n\\r\\nseconds behind: $known\\n");
  close $client;
}

my $next = 0;
for (;;) {
  my $now = time;
  stop() if $pid && $asked && $now - $asked > 5;
  if ($now >= $next) {
    $next = $now + 1;
    if (!$pid) {
      $pid = open2($from, $to, "psql", "-XqtA");
      $to->autoflush(1);
      $select->add($from);
    }
    if (!$asked) {
      $asked = $now;
      print $to "$query\\n";
    }
  }
  for my $ready ($select->can_read(0.5)) {
    if ($ready == $server) {
      my $client = $server->accept;
      answer($client) if $client;
      next;
    }
    my $count = $from->sysread($text, 4096, length $text);
    if (!$count) { stop(); next }
    if ($text =~ /^(none|-?\\d+)\\n/) { ($lag, $at, $asked, $text) = ($1, time, 0, "") }
  }
}
`;
