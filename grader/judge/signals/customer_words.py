"""What customers write, by concept: phrases in English, Portuguese and Spanish, lower case, without accents.

How a phrase is written stands in `words`. The lists follow how people write in such chats in general, slips included.
"""

from __future__ import annotations

from grader.judge.signals.policy_words import TOPICS
from grader.judge.signals.reason_words import REASONS
from grader.judge.signals.words import Phrases

_PEOPLE_EN = "human|person|agent|representative|rep|manager|supervisor|operator|advisor|adviser|specialist"
_SOMEONE_EN = f"{_PEOPLE_EN}|someone|somebody|anyone|anybody|colleague|humans|people|agents"
_PEOPLE_PT = "atendente|humano|humana|gerente|supervisor|supervisora|responsavel|funcionario|funcionaria|operador|operadora"
_SOMEONE_PT = f"{_PEOPLE_PT}|pessoa|alguem|gente|atendentes|colega"
_PEOPLE_ES = (
    "humano|humana|agente|asesor|asesora|supervisor|supervisora|gerente|encargado|encargada|operador|operadora|"
    "representante|ejecutivo|ejecutiva|responsable"
)
_SOMEONE_ES = f"{_PEOPLE_ES}|persona|alguien|companero|companera|gente"

CONCEPTS = {
    # A plain request for a person.
    "wish_human": f"""
talk|speak|chat|talking|speaking to|with ..4 {_SOMEONE_EN}
connect|transfer|forward|refer|escalate|pass|put|hand me|us|this ..4 {_SOMEONE_EN}|team|department
connect|transfer to|with ..2 {_SOMEONE_EN}|team
get|give me ..3 {_PEOPLE_EN}
give me ..2 team|department
want|need|wanna|prefer|demand|require a|an|the|some|your ..2 {_PEOPLE_EN}
want|need|wanna|prefer {_PEOPLE_EN}
rather|like|love to|have ..2 speak|talk|deal|have ?with ?to ..2 {_SOMEONE_EN}
rather have ..2 {_PEOPLE_EN}
is|isn't|isnt there ..2 someone|somebody|anyone|anybody ..2 talk|speak|ring|call|phone|chat
can|could|may ?i ?we ?you talk|speak to|with ..3 {_SOMEONE_EN}
want|need|can|let|have {_PEOPLE_EN}|someone|somebody|team to|from ?call|contact|ring|talk|speak|take|look ..2 me|us|this|it
complain|complaint to a|an|some ..2 {_PEOPLE_EN}
human|person|agent|representative|manager|supervisor|operator please|pls|plz|now
falar|conversar|tratar ..3 com ..3 {_SOMEONE_PT}
falar|conversar ..2 {_PEOPLE_PT}
quero|preciso|queria|prefiro|gostaria|exijo|pode|podem ..3 {_PEOPLE_PT}
quero|preciso|queria|prefiro|exijo ?de uma|um|alguma ..1 pessoa
passa|passe|passar|transfere|transfira|transferir|encaminha|encaminhe|chama|chame|chamar|coloca|coloque|conecta|manda ..3 {_SOMEONE_PT}
{_PEOPLE_PT} por|pfv|pfvr|agora|please
atendimento humano
hablar|hable|habla|hablo|comunicarme|comunicarse|platicar|contactar|tratar|chatear ..2 con|a ..3 {_SOMEONE_ES}
quiero|necesito|quisiera|prefiero|exijo|queria|dame|deme|denme ?a un|una|algun|al|el|otro ..2 {_PEOPLE_ES}|persona
pasame|paseme|pasenme|pasarme|pasas|comunicame|comuniqueme|comunicarme|transfiereme|transfierame|transferime|conectame|poneme|ponme|derivame|pongame|pasa ..3 {_SOMEONE_ES}
me pasas|pasa|pasan|comunicas|comunica|comunican|transfieres|transfiere|pones|atiende|atienda ..3 {_SOMEONE_ES}
que me atienda|llame|atiendan ..2 {_SOMEONE_ES}
hay|habra alguien ..2 que|con ..4 hablar|atienda|llamar|ayude
{_PEOPLE_ES} por|porfa|porfavor|ya|ahora|pf
atencion humana
""",
    # Says the same when it is asked for again, or stands nearly alone.
    "word_human": f"""
human being
real|actual|live|proper|breathing person|human|agent
{_PEOPLE_EN}
a|said person
person
pessoa de verdade|real|humana
{_PEOPLE_PT}
{_PEOPLE_ES}
persona de verdad|real|humana|fisica
persona
ser humano
connect
conecta|conectame|transferir|transfiere
no|not ?a ?another|more bots|bot|robot|robots|machine|ai
nao|sem ?mais ?um ?uma robo|bot|maquina|robos
no|sin ?mas ?un ?una robot|bot|maquina|robots
contestador|contestadora
""",
    "are_you": """
are|r you|u ..2 human|person|bot|robot|real
voce|vc e ..2 humano|pessoa|robo|gente
eres|sos|es ..2 humano|persona|robot|bot
hablo|falo com|con ..3 robo|robot|bot
""",
    "withdraws": """
never mind|nevermind
nevermind|nvm
no ?dont ?don't need ?to|it ..2 anymore|then
leave it
forget it|about
already|all|got sorted|solved|fixed|resolved|figured
it's|its all|ok|fine|okay|sorted ?now
no need
nao precisa|precisa|precisava ?mais
deixa|deixe pra|assim|quieto|estar|la
deixa
ja resolv*|consegui|achei|apareceu
esquece|esqueca
no hace|haz falta
ya no ?hace ?falta
dejalo|dejelo|deja|olvidalo|olvidelo
ya|ya lo|esta|se esta|solucion*|resolv*|encontre|aparecio
ah no ya esta
""",
    # What policies commonly give to people at once.
    "danger": """
smoke|smoking|smoked|smoky
smell|smells|smelled|smelt|stinks ..3 burn*|smoke|gas
caught|catch|catches|on|started fire
fire|flames|sparks|sparking|sparked
burned|burnt|burns|burning|burn ..2 hand|hands|finger|fingers|skin|table|floor|carpet|face|arm|leg|me|myself|daughter|son|hole|mark|child
electric|electrical|electrocuted|got ?a ?an ?electric shock|shocked
electrocuted
exploded|explosion|explode|explodes|blew up
melted|melting|melts
overheat*
so|too|very|really|extremely|insanely hot
injured|injury|bleeding|stitches|ambulance
fumaca|fumacinha
pegou|pegando|pega fogo
fogo|incendio|faisca|faiscas|faiscou|faiscando
queimou|queimei|queimando|queimada|queimadura ..3 mao|dedo|pele|mesa|sofa|tomada|rosto|braco|perna|filho|filha|me|se
cheiro ..3 queimado|fumaca|gas
choque|choques ?eletric*
tomei|levei|deu|dando|da ..2 choque|choques
explodiu|estourou|derreteu|derretendo|derretido
superaqueceu|superaquecendo|superaquecimento
machucou|machuquei|machucada|sangrando|sangrou
humo|chispas|chispazo|llamas|incendio
se prendio|incendio|quemo|quemaba|derritio
olor|huele|olia ..3 quemado|humo|gas
me|se ?le quemo|queme|quemaron ?la ?el
quemadura|quemaduras
descarga|toque|calambre|calambrazo ?electric*
dio|da|dando ..2 toques|corriente|calambre|descarga
exploto|estallo|reventado
sobrecalento|sobrecalienta
lastimo|lastime|herido|herida|sangre
""",
    "fraud": """
hacked|hacker|hack|hackers
fraud|fraudulent|fraudster|scammed|scammer
stolen card|identity|account|credit
stole|stolen my ..2 card|account|identity|data
someone|somebody|somebody's|someone's|anyone|stranger|they're|theyre ..4 my ..1 account|card|name|login|profile
unauthori*
did|didn't|didnt|never|not ?not|never make|made|authori*|place|placed ..2 purchase|purchases|payment|charge|charges|order|orders|transaction
don't|dont|not recognize|recognise ..4 charge|charges|payment|payments|order|transaction|purchase|debit
charge|payment|transaction ..4 don't|dont|not recognize|recognise
locked|kicked out ..3 account
email|mail|password ..5 changed ..8 didn't|didnt|not
hackearam|hackeada|hackeado|hackearon|hackeo|hackers|jackearon|jaquearon
fraude|fraudes|fraudulent*
invadiram|invadida|invasao|invadido ..4 conta
invadiram|clonaram|clonado|clonada|clonaron
conta ..2 invadida|hackeada|clonada|roubada
entraram|entrou|acessaram|mexeram na|em|minha ..2 conta
nao reconheco|reconhecida|reconhecido|reconhecemos
nao fiz|fui|comprei|pedi|autorizei|realizei ..4 essa|esse|essas|esses|nenhuma|nenhum|compra|compras|fone
compra|compras|cobranca ..6 nao ..1 minha|minhas|fiz|reconheco
roubaram|usaram ..3 cartao|conta|dados
trocaram ..2 email|senha|meu
golpe|golpista
no reconozco|reconocido|reconocida|reconocemos
cargo|cargos|compra|compras ..6 no ..2 hice|reconozco|mio|mia|mias|realice|autorice
no hice|realice|autorice ..3 compra|compras|pedido|cargo|pago
no he|hemos comprado|hecho|pedido|autorizado nada|ningun|ninguna|esa|ese|eso
robaron|robado|usaron|usando|clonaron ..3 tarjeta|cuenta|datos
entraron|entro|metieron|metio ..2 mi cuenta
cuenta ..2 hackeada|robada|jaqueada
cambiaron ..3 correo|contrasena|clave|mi
estafa|estafaron
""",
    "legal": """
lawyer|attorney|solicitor|lawyers
sue|suing
legal action|steps|proceedings
small claims
take|taking|see ..3 court
trading standards
consumer protection|forum|court|agency|rights|office|affairs|council
ombudsman|bbb
better business bureau
going|go|talk|write|tell to|the ..2 press|newspaper|newspapers|media
report|reporting you ..3 authorities|authority|police
advogado|advogada|advogados
processar|processo ..2 voces|vcs|judicial|empresa|loja
acao|medidas ..1 judicial|judiciais|legais|cabiveis
na justica
juizado|procon
reclame aqui
consumidor gov
abogado|abogada|abogados
demandar|demandarlos|demanda|demandare|denuncia|denunciar|denunciare|denunciarlos|denuncio
acciones|medidas legales
profeco|indecopi|sernac|omic|facua
oficina|reclamacion|denuncia ..4 consumo|consumidor
defensa ..2 consumidor
a|en consumo
hoja|hojas de reclamacion|reclamaciones
juzgado|juicio
prensa|periodico|periodista
""",
    # Kinds of request, and the words of their neighbours.
    "wants_exchange": """
exchange|exchanging|swap|swapping|swop
change|changing ..4 size|colour|color
different|another|other|bigger|smaller|larger size|colour|color
can|could|want|need|get ..6 instead
trocar|troca|trocando|troco
mudar ..3 tamanho|cor
no lugar do|da|de
cambiar ..6 talla|color|numero|talle|modelo|por|tamano
cambiarlo|cambiarla|cambiarlos|cambiarlas|cambio
otra|otro talla|color|numero|talle
en lugar|vez de
""",
    "wants_return": """
return|returning|returned|returns
send|sending|sent ..4 back
refund|refunded|refunds
money back
devolver|devolucao|devolvo|devolvi|devolvendo|devolverem
reembolso|reembolsar|estorno|estornar
meu dinheiro
dinheiro de volta
devolucion|devolverlo|devolverla|devolverlos|devolverlas|devuelvo|devuelvan|devuelven|devolvi
reembolsar|reembolsen|reintegro
mi dinero|plata
""",
    "wants_cancel": """
cancel|cancelling|canceling|cancelled|canceled|cancellation
call off
cancelar|cancelamento|cancela|cancele|cancelo
cancelacion|cancelarlo|cancelarla|cancelame|canceles|cancelen|cancelo|anular|anularlo|anula|anulacion
""",
    "says_yes": """
yes|yep|yeah|yup|y|ya|sure|ok|okay|please|confirm|confirmed|correct|right|absolutely|definitely|go|do|perfect|fine
sim|ss|pode|podem|isso|claro|confirmo|quero|positivo|certo|beleza|blz|manda|faz|bora
si|sip|dale|claro|confirmo|va|vale|adelante|perfecto|correcto|hazlo|hacelo|obvio|bueno
""",
    # Mood, by its plainest words.
    "thanks": """
thanks|thank|thankyou|thx|ty|tysm|cheers|appreciated|appreciate|grateful|tks
obrigad*|obg|brigad*|brigadao|valeu|vlw|agradeco|agradecida|agradecido
gracias|grax|agradezco|agradecido|agradecida
""",
    "delight": """
great|perfect|perfecto|perfeito|awesome|amazing|lovely|brilliant|excellent|wonderful|fantastic|love|lifesaver|star|ace|beauty|relief|phew|yay|legend
best|god bless|news
deus ..2 abencoe
dios ..2 bendiga
have ..2 pleasant|lovely|nice|good|great day|one|evening|weekend
maravilha|otimo|otima|excelente|adorei|amei|ufa|eba|show|top|salvou|querida|fofa|fofo|massa
genial|genia|genio|buenisimo|excelente|encanto|encantado|encantada|maravilla|eficiencia|amable|amor|fenomenal|estupendo|lindo|linda
""",
    "complains": """
ridiculous|disappointed|disappointing|disappointment|frustrat*|annoy*|useless|waste|wasted|unacceptable|terrible|awful|joke|unfair|pathetic|worse|worst|poor|fed|sick|seriously|unbelievable|rubbish|nonsense|shame|sad
not|no|never|nothing|isn't|isnt|didn't|didnt ..2 helpful|help|fair|good|happy|work|working|true|anything|acceptable
thanks|thank|thx ?you for ?absolutely nothing
still|again ..3 nothing|waiting|not|no|wrong
give up
round and round
i suppose|guess
hold my breath
waited|waiting
absurdo|ridiculo|decepcionad*|decepcao|frustrad*|chatead*|pessimo|pessima|inaceitavel|vergonha|descaso|palhacada|dificil|triste|putz|perder|perdi|perdeu|perdendo|complicado|enrolacao|demora|cansad*
pela segunda|terceira|quarta vez
nao ..2 justo|adianta|aguento|resolve|resolveu|serve|ajudou|acredito
decepcion*|frustra*|molest*|pesimo|pesima|inaceptable|verguenza|burla|absurdo|harto|harta|cansad*|inutil|lastima|triste|enojad*
por segunda|tercera|cuarta vez
ponganse de acuerdo
no ..2 justo|sirve|sirven|puede|ayuda|ayudan|creo|entienden
""",
    "rages": """
scammers|thieves|liars|liar|crooks|idiots|idiot|muppets|disgusting|disgrace|disgraceful|shove|bullshit|fuck*|fuming|furious|livid|outrage|outrageous|damn|hell|crap
never ..4 again|buying|ordering|order|buy|shop|anything
telling|tell everyone|everybody|people|friends|lads
bad|negative|one star review|reviews
every|all site|sites|socials
nunca mais ..3 compro|comprar|volto|na|com|aqui|nada
ladroes|ladrao|mentirosos|mentira|golpistas|lixo|palhacos|otarios|merda|porra|caralho|bosta|processar|indignad*|revoltad*|revoltante|vergonhoso|procon
reclame aqui
ladrones|mentirosos|estafadores|estafa|basura|mierda|carajo|ratas|asco|indignad*|indignante|sinverguenzas|chingad*|pinche|pinches|profeco|consumo|denunciar|denuncia|abogado|demandar
nunca mas ..3 compro|comprar|vuelvo|les|con|aqui
lo subo|publico
redes sociales
""",
}

PHRASES = Phrases({**CONCEPTS, **TOPICS, **REASONS})
PERSON = frozenset(f"{_SOMEONE_EN}|{_SOMEONE_PT}|{_SOMEONE_ES}".split("|"))
