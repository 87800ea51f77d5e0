// NOT EXECUTED by the tests: there is no .NET where they run. Needs .NET 8.
// Starts a script through the API, waits for its end, prints its output, and exits with its code.
// Usage: Deploy MUTEX COMMAND [ARGUMENT...]   (Windows: the host's named pipe; Linux: its Unix socket)
using System.IO.Pipes;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

var windows = OperatingSystem.IsWindows();
var state = Environment.GetEnvironmentVariable("UNJAM_HOME") ?? (windows
    ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "Unjam")
    : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state", "unjam"));
var host = JsonNode.Parse(File.ReadAllText(Path.Combine(state, "host.json")))!;
var address = (string)host["address"]!;
using var http = new HttpClient(new SocketsHttpHandler
{
    ConnectCallback = async (_, cancel) =>
    {
        if (windows)
        {
            var pipe = new NamedPipeClientStream(".", address[(address.LastIndexOf(@"\pipe\") + 6)..], PipeDirection.InOut);
            await pipe.ConnectAsync(cancel);
            return pipe;
        }
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(address), cancel);
        return new NetworkStream(socket, ownsSocket: true);
    },
});
http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)host["token"]!);

async Task<JsonNode> Call(string method, object given)
{
    using var answer = await http.PostAsJsonAsync($"http://unjam/rpc/{method}", given);
    var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
    if ((bool)body["ok"]!) return body["value"]!;
    throw new InvalidOperationException($"{body["error"]!["message"]} {body["error"]!["next"]} ({body["error"]!["code"]})");
}

// The same ticket never runs twice: the call may be repeated when its answer was lost.
var ticket = $"example-{Guid.NewGuid()}";
await Call("scripts.start", new
{
    ticket, command = args[1..], cwd = Directory.GetCurrentDirectory(), isolation = new { level = "full", mutex = args[0] },
});
for (long from = 0; ;)
{
    var page = await Call("logs.read", new { ticket, from, waitMs = 20_000 }); // held until there is something new
    foreach (var entry in page["entries"]!.AsArray())
        if ((string)entry!["stream"]! != "unjam") Console.Write((string)entry["text"]!);
    from = (long)page["next"]!;
    if ((bool)page["complete"]!) break;
}
var script = await Call("scripts.get", new { ticket });
Console.Error.WriteLine((string)script["condition"]!["headline"]!);
return (string?)script["verdict"] == "exited" ? (int?)script["exitCode"] ?? 1 : 1;
