// An integration of Neuro Relay in C#, with the class library only.
//
// Run it with .NET 10 or later: `dotnet run examples/Jukebox.cs [URL] [TOKEN]`. With .NET 8, make it the Program.cs of a console project.
// It reconnects forever. Because it requests acks, commands of watchers that were sent while it was disconnected arrive when it is back.

using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

var url = new Uri(args.Length > 0 ? args[0] : "ws://127.0.0.1:8765");
var token = args.Length > 1 ? args[1] : "super-secret-token";

while (true)
{
    using var socket = new ClientWebSocket();
    try
    {
        await socket.ConnectAsync(url, CancellationToken.None);
        await Send(socket, new JsonObject { ["type"] = "integration", ["name"] = "jukebox", ["auth_token"] = token, ["ack"] = true });
        while (await Receive(socket) is { } message) await Handle(socket, message);
    }
    catch (WebSocketException error)
    {
        Console.WriteLine(error.Message);
    }
    var code = (int?)socket.CloseStatus;
    Console.WriteLine($"closed {code} {socket.CloseStatusDescription}".TrimEnd());
    // The token is wrong (4401), or another program has the name (4409): trying again would not help.
    if (code is 4400 or 4401 or 4403 or 4409) return 1;
    await Task.Delay(1_000);
}

static JsonArray Actions() => JsonNode.Parse("""
    [
      {
        "name": "play_song",
        "description": "Play a song on the jukebox.",
        "schema": { "type": "object", "properties": { "title": { "type": "string" } }, "required": ["title"] }
      },
      { "name": "stop_music", "description": "Stop the music." }
    ]
    """)!.AsArray();

// Executes an action. The text is for Neuro. An exception is a failure.
static string Act(string name, JsonNode data) => name switch
{
    "play_song" => $"{data["title"] ?? throw new ArgumentException("A title is required.")} is playing.",
    "stop_music" => "The music has stopped.",
    _ => throw new ArgumentException($"There is no action {name}."),
};

static async Task Handle(ClientWebSocket socket, JsonNode message)
{
    switch ((string?)message["event"])
    {
        case "registered":
            Console.WriteLine($"registered as {message["name"]}");
            await Send(socket, new JsonObject { ["event"] = "register_actions", ["actions"] = Actions() });
            var context = new JsonObject { ["message"] = "The jukebox is on.", ["silent"] = true };
            await Send(socket, new JsonObject { ["command"] = "context", ["data"] = context });
            var names = new JsonArray("play_song", "stop_music");
            var force = new JsonObject { ["query"] = "What should the jukebox do?", ["action_names"] = names };
            await Send(socket, new JsonObject { ["command"] = "actions/force", ["data"] = force });
            break;
        case "action":
            var payload = message["payload"]!;
            var data = (string?)payload["data"];
            Console.WriteLine($"action {payload["name"]} {data}".TrimEnd());
            var result = new JsonObject { ["id"] = (string)payload["id"]! };
            try
            {
                result["message"] = Act((string)payload["name"]!, JsonNode.Parse(string.IsNullOrEmpty(data) ? "{}" : data)!);
                result["success"] = true;
            }
            catch (Exception error)
            {
                result["message"] = error.Message;
                result["success"] = false;
            }
            await Send(socket, new JsonObject { ["event"] = "action_result", ["payload"] = result });
            break;
    }
    if (message["cmd"] is { } command) Console.WriteLine($"command from {message["from_watcher"]}: {command.ToJsonString()}");
    if (message["error"] is { } refusal) Console.WriteLine($"the relay refused something: {refusal}");
    if (message["id"] is { } id) await Send(socket, new JsonObject { ["ack"] = (string)id! });
}

static Task Send(ClientWebSocket socket, JsonNode message) =>
    socket.SendAsync(
        new ArraySegment<byte>(Encoding.UTF8.GetBytes(message.ToJsonString())),
        WebSocketMessageType.Text,
        true,
        CancellationToken.None);

// The next message; null when the connection is closed.
static async Task<JsonNode?> Receive(ClientWebSocket socket)
{
    var bytes = new MemoryStream();
    var buffer = new byte[16_384];
    while (true)
    {
        var frame = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None);
        if (frame.MessageType == WebSocketMessageType.Close) return null;
        bytes.Write(buffer, 0, frame.Count);
        if (frame.EndOfMessage) return JsonNode.Parse(Encoding.UTF8.GetString(bytes.ToArray()));
    }
}
